package balancer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/health"
	"neargate/internal/model"
)

// maxProbeBody is how much of a probe's answer is read before the connection
// is closed: enough to let ordinary health pages end well.
const maxProbeBody = 64 << 10

// maxProbeHead is how long a probe's answer may take to its body.
const maxProbeHead = 32 << 10

// probeOnce asks a target for its health check's path, on a connection of its
// own, as ELB does.
func probeOnce(ctx context.Context, dial exchange.Dial, t model.Target, hc model.HealthCheck, plan health.Plan) health.Result {
	began := time.Now()
	to := address(t)
	if hc.Port != "" && hc.Port != "traffic-port" {
		to = net.JoinHostPort(t.IP, hc.Port)
	}
	connect, cancel := context.WithTimeout(ctx, min(plan.Connect, plan.Timeout))
	defer cancel()
	conn, err := dial(connect, to)
	if err != nil {
		return broken(err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	code, err := ask(conn, hostHeader(to), hc.Path, began.Add(plan.Timeout))
	if err != nil {
		return broken(err)
	}
	return health.Result{Code: code}
}

// hostHeader returns the Host header of a probe to an address: the port is left
// out where it is HTTP's own, as ELB does and clients do (RFC 9110, 7.2).
func hostHeader(to string) string {
	host, port, err := net.SplitHostPort(to)
	if err != nil || port != "80" {
		return to
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func ask(conn net.Conn, host, path string, until time.Time) (code int, err error) {
	if err := conn.SetDeadline(until); err != nil {
		return 0, err
	}
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nUser-Agent: ELB-HealthChecker/2.0\r\nAccept-Encoding: gzip, compressed\r\n\r\n", path, host)
	if err != nil {
		return 0, err
	}
	// What a target sends is bounded: a head as the data plane takes, and a body.
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxProbeHead+maxProbeBody)), nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if _, err := io.CopyN(io.Discard, resp.Body, maxProbeBody); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	return resp.StatusCode, nil
}

func broken(err error) health.Result {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return health.Result{Outcome: health.TimedOut}
	}
	return health.Result{Outcome: health.Broken}
}
