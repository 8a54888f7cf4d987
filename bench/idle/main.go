// Command idle measures what connections cost whose clients are silent: 10,000
// that have had one answer each, and 10,000 that have sent nothing, plain and over
// TLS, at `neargate serve`, nginx, HAProxy and Caddy in one run. Counted is the
// memory in RAM of their processes. Run it as root, on an idle machine:
//
//	go run ./bench/idle
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"neargate/bench/peers"
	"neargate/bench/rig"
)

// The goals: the memory of a plain one in bytes, and how many times HAProxy's
// memory any may take.
const (
	goalPlain = 2 << 10
	goalRatio = 1.5
)

type options struct {
	conns   int
	settle  time.Duration
	page    string
	backend string
}

func main() {
	var o options
	flag.IntVar(&o.conns, "conns", 10_000, "connections to each, of each kind")
	flag.DurationVar(&o.settle, "settle", 20*time.Second, "how long they are silent before the memory is read")
	flag.StringVar(&o.page, "o", "", "write the results to this file, too")
	flag.StringVar(&o.backend, "backend", "", "internal: be the backend at this address")
	flag.Parse()
	rig.Main("idle", func(ctx context.Context, out io.Writer) error {
		if o.backend != "" {
			return peers.Backend(ctx, o.backend)
		}
		return run(ctx, out, o)
	})
}

// kind is one kind of connection.
type kind struct {
	name        string
	tls, silent bool
}

func kinds() []kind {
	return []kind{{"plain, after a request", false, false}, {"plain, nothing sent", false, true}, {"TLS 1.3, after a request", true, false}}
}

func run(ctx context.Context, out io.Writer, o options) error {
	if os.Getuid() != 0 {
		return errors.New("needs root: the server")
	}
	return peers.With(ctx, out, func(field *peers.Field) error { return compare(ctx, field, out, o) })
}

// compare measures the peers by turns.
func compare(ctx context.Context, field *peers.Field, out io.Writer, o options) error {
	results := map[string]map[string]int64{}
	for _, k := range kinds() {
		results[k.name] = map[string]int64{}
		for _, p := range field.Peers {
			each, err := measure(ctx, p, k, o)
			if err != nil {
				return fmt.Errorf("%s at %s: %w", k.name, p.Name, err)
			}
			results[k.name][p.Name] = each
			fmt.Fprintf(out, "%-26s %-16s %6d bytes a connection\n", k.name, p.Name, each)
		}
	}
	page, short := report(field, results, o)
	return rig.Finish(out, page, o.page, short)
}

// measure returns the memory of one connection.
func measure(ctx context.Context, p *peers.Peer, k kind, o options) (each int64, err error) {
	if err := warm(ctx, p, k); err != nil {
		return 0, err
	}
	before, err := p.Resident()
	if err != nil {
		return 0, err
	}
	conns := make([]net.Conn, 0, o.conns)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
		err = errors.Join(err, rig.Pause(ctx, 2*time.Second)) // they are forgotten
	}()
	for i := range o.conns {
		c, err := open(ctx, p, k, i)
		if err != nil {
			return 0, fmt.Errorf("connection %d: %w", i, err)
		}
		conns = append(conns, c)
	}
	if err := rig.Pause(ctx, o.settle); err != nil {
		return 0, err
	}
	after, err := p.Resident()
	if err != nil {
		return 0, err
	}
	return (after - before) / int64(o.conns), nil
}

// warm has a peer serve some requests, so that what it makes once is there.
func warm(ctx context.Context, p *peers.Peer, k kind) error {
	for i := range 200 {
		c, err := open(ctx, p, kind{tls: k.tls}, i)
		if err != nil {
			return err
		}
		_ = c.Close()
	}
	return rig.Pause(ctx, 2*time.Second)
}

// open opens a connection, and has a request answered over it. The client's
// address differs, so that there are ports enough.
func open(ctx context.Context, p *peers.Peer, k kind, i int) (net.Conn, error) {
	from := netip.AddrFrom4([4]byte{127, 0, 1, byte(1 + i%200)})
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	addr := p.Plain
	if k.tls {
		addr = p.TLS
	}
	c, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil || k.silent {
		return c, err
	}
	if k.tls {
		secure := tls.Client(c, &tls.Config{ServerName: peers.Name, InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS13}) //nolint:gosec // a benchmark's own
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c = secure
	}
	if err := ask(c); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// ask has a request of 100 bytes answered.
func ask(c net.Conn) error {
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	defer func() { _ = c.SetDeadline(time.Time{}) }()
	if _, err := io.WriteString(c, "GET /100 HTTP/1.1\r\nHost: "+peers.Name+"\r\n\r\n"); err != nil {
		return err
	}
	buf := make([]byte, 4096)
	for got := 0; ; {
		n, err := c.Read(buf[got:])
		if err != nil {
			return fmt.Errorf("read an answer: %w", err)
		}
		if got += n; whole(buf[:got]) {
			return nil
		}
	}
}
