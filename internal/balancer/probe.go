package balancer

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/http2"
	"neargate/internal/decide/health"
	"neargate/internal/model"
)

// maxProbeBody is how much of a probe's answer is read before the connection
// is closed: enough to let ordinary health pages end well.
const maxProbeBody = 64 << 10

// maxProbeHead is how long a probe's answer may take to its body.
const maxProbeHead = 32 << 10

// probeOnce asks a target for its health check's path, on a connection of its
// own, as ELB does, by the protocol version of its group.
func probeOnce(ctx context.Context, dial exchange.Dial, t model.Target, conf *groupConf, plan health.Plan) health.Result {
	began, hc := time.Now(), conf.HealthCheck
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
	p := probe{conn: conn, host: hostHeader(to), hc: hc, until: began.Add(plan.Timeout), speaks: conf.speaks}
	code, err := p.ask()
	if err != nil {
		return broken(err)
	}
	return health.Result{Code: code}
}

// probe is one question to a target.
type probe struct {
	conn   net.Conn
	host   string
	hc     model.HealthCheck
	until  time.Time
	speaks exchange.Protocol
}

// ask returns the code that was answered, of HTTP or of gRPC.
func (p *probe) ask() (code int, err error) {
	if err := p.conn.SetDeadline(p.until); err != nil {
		return 0, err
	}
	if p.hc.Protocol == "HTTPS" {
		offer := "http/1.1"
		if p.speaks != exchange.HTTP1 {
			offer = "h2"
		}
		// An ALB takes any certificate of a target (load-balancer-target-groups).
		secured := tls.Client(p.conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{offer}}) //nolint:gosec // as AWS
		if err := secured.Handshake(); err != nil {                                                       //nolint:noctx // the connection has a deadline
			return 0, err
		}
		p.conn = secured
	}
	if p.speaks == exchange.HTTP1 {
		return p.askHTTP1()
	}
	return p.askHTTP2()
}

// askHTTP2 asks for the path, or calls the method that it is in gRPC.
func (p *probe) askHTTP2() (code int, err error) {
	q := http2.Question{MaxBody: maxProbeBody, Forward: exchange.Forward{
		Method: http.MethodGet, Scheme: strings.ToLower(p.hc.Protocol), Authority: p.host, URI: p.hc.Path,
		Fields: []exchange.Field{{Name: "user-agent", Value: probeAgent}},
	}}
	if p.speaks == exchange.GRPC {
		q.Forward.Method, q.Forward.Trailers = http.MethodPost, true
		q.Forward.Fields = append(q.Forward.Fields, exchange.Field{Name: "content-type", Value: "application/grpc"})
		q.Body = make([]byte, 5) // an empty message, not compressed
	}
	reply, err := http2.Ask(p.conn, &q, p.until)
	switch {
	case err != nil:
		return 0, err
	case p.speaks != exchange.GRPC:
		return reply.Status, nil
	}
	status, _ := reply.Field("grpc-status")
	if code, err = strconv.Atoi(status); err != nil {
		return grpcUnknown, nil //nolint:nilerr // an answer that is none of gRPC
	}
	return code, nil
}

// grpcUnknown is what stands for a missing status in gRPC.
const grpcUnknown = 2

// probeAgent is what ELB's health checks call themselves.
const probeAgent = "ELB-HealthChecker/2.0"

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

func (p *probe) askHTTP1() (code int, err error) {
	_, err = fmt.Fprintf(p.conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nUser-Agent: %s\r\nAccept-Encoding: gzip, compressed\r\n\r\n", p.hc.Path, p.host, probeAgent)
	if err != nil {
		return 0, err
	}
	// What a target sends is bounded: a head as the data plane takes, and a body.
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(p.conn, maxProbeHead+maxProbeBody)), nil)
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
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, exchange.ErrIdle) || errors.Is(err, context.DeadlineExceeded) {
		return health.Result{Outcome: health.TimedOut}
	}
	return health.Result{Outcome: health.Broken}
}
