package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"neargate/bench/peers"
)

// url is where a peer answers with a size.
func url(p *peers.Peer, size int) string { return fmt.Sprintf("https://%s/%d", p.TLS, size) }

// counted runs a load generator and returns the number that its output names.
func counted(ctx context.Context, form string, command ...string) (int, error) {
	out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput() //nolint:gosec // our own
	if err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", command[0], err, out)
	}
	found := regexp.MustCompile(form).FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("%s has counted nothing:\n%s", command[0], out)
	}
	return strconv.Atoi(string(found[1]))
}

func byWrk(ctx context.Context, p *peers.Peer, size int, o options) (int, error) {
	return counted(ctx, `(\d+) requests in`, "wrk", "-t1", "-c"+strconv.Itoa(o.conns), "-d"+o.span.String(), "-H", "Host: "+peers.Name, url(p, size))
}

func byH2load(ctx context.Context, p *peers.Peer, size int, o options) (int, error) {
	return counted(ctx, `(\d+) succeeded`, "h2load", "-t1", "-c"+strconv.Itoa(max(o.conns/8, 1)), "-m8", "-D"+strconv.Itoa(int(o.span.Seconds())),
		"--connect-to="+p.TLS, fmt.Sprintf("https://%s:%s/%d", peers.Name, port(p.TLS), size))
}

func port(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// shake makes handshakes, four at a time, and waits for the server's tickets.
func shake(ctx context.Context, p *peers.Peer, o options, resume bool) (int, error) {
	until := time.Now().Add(o.span)
	var made atomic.Int64
	var all sync.WaitGroup
	errs := make(chan error, 4)
	for range 4 {
		all.Go(func() {
			cfg := &tls.Config{ServerName: peers.Name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}} //nolint:gosec // a benchmark's own
			if resume {
				cfg.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			}
			for n := 0; time.Now().Before(until); n++ {
				resumed, err := once(ctx, p, cfg)
				if err == nil && resume && n > 0 && !resumed {
					err = errors.New("a session was not resumed")
				}
				if err != nil {
					errs <- err
					return
				}
				made.Add(1)
			}
		})
	}
	all.Wait()
	select {
	case err := <-errs:
		return 0, err
	default:
		return int(made.Load()), nil
	}
}

// once connects, has one request answered, and leaves.
func once(ctx context.Context, p *peers.Peer, cfg *tls.Config) (resumed bool, err error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.TLS)
	if err != nil {
		return false, err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	secured := tls.Client(c, cfg)
	if err := secured.HandshakeContext(ctx); err != nil {
		return false, err
	}
	if _, err := fmt.Fprintf(secured, "GET /100 HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", peers.Name); err != nil {
		return false, err
	}
	buf := make([]byte, 4096)
	if _, err := secured.Read(buf); err != nil { // tickets come before it
		return false, err
	}
	return secured.ConnectionState().DidResume, nil
}
