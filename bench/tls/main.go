// Command tls compares what HTTPS costs at `neargate serve`, nginx, HAProxy and
// Caddy, in one interleaved run on loopback: requests over kept connections by
// HTTP/1.1 (wrk) and HTTP/2 (h2load), and TLS 1.3 handshakes, whole and resumed.
// Counted is the CPU that each used itself, since requests per second depend on
// what else the machine does. Run it as root, on an idle machine:
//
//	go run ./bench/tls
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"

	"neargate/bench/peers"
	"neargate/bench/rig"
)

type options struct {
	rounds, conns int
	span          time.Duration
	page, backend string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; the median of them counts")
	flag.DurationVar(&o.span, "for", 2*time.Second, "how long each is loaded in each round")
	flag.IntVar(&o.conns, "conns", 64, "kept connections")
	flag.StringVar(&o.page, "o", "", "write the results to this file, too, e.g. bench/tls/RESULTS.md")
	flag.StringVar(&o.backend, "backend", "", "internal: be the backend at this address")
	flag.Parse()
	rig.Main("tls", func(ctx context.Context, out io.Writer) error {
		if o.backend != "" {
			return peers.Backend(ctx, o.backend)
		}
		return run(ctx, out, o)
	})
}

// trial is one kind of load: it returns how many requests or handshakes were made.
type trial struct {
	name   string
	shakes bool
	do     func(ctx context.Context, p *peers.Peer, o options) (int, error)
}

func trials() []trial {
	all := []trial{
		{"handshake, whole", true, func(ctx context.Context, p *peers.Peer, o options) (int, error) { return shake(ctx, p, o, false) }},
		{"handshake, resumed", true, func(ctx context.Context, p *peers.Peer, o options) (int, error) { return shake(ctx, p, o, true) }},
	}
	for _, size := range peers.Sizes() {
		all = append(all, trial{fmt.Sprintf("HTTP/1.1, %d B", size), false, func(ctx context.Context, p *peers.Peer, o options) (int, error) { return byWrk(ctx, p, size, o) }},
			trial{fmt.Sprintf("HTTP/2, %d B", size), false, func(ctx context.Context, p *peers.Peer, o options) (int, error) { return byH2load(ctx, p, size, o) }})
	}
	return all
}

func run(ctx context.Context, out io.Writer, o options) error {
	if os.Getuid() != 0 {
		return errors.New("needs root: the server")
	}
	for _, tool := range []string{"wrk", "h2load"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is needed: apt-get install wrk nghttp2-client", tool)
		}
	}
	return peers.With(ctx, out, func(field *peers.Field) error { return compare(ctx, field, out, o) })
}

// compare measures the peers by turns.
func compare(ctx context.Context, field *peers.Field, out io.Writer, o options) error {
	costs := map[string]map[string][]time.Duration{} // CPU of one, by trial and peer
	for round := range o.rounds {
		for _, t := range trials() {
			if costs[t.name] == nil {
				costs[t.name] = map[string][]time.Duration{}
			}
			for i := range field.Peers {
				p := field.Peers[(i+round)%len(field.Peers)] // another one goes first in each round
				cost, err := measure(ctx, p, t, o)
				if err != nil {
					return fmt.Errorf("%s at %s: %w", t.name, p.Name, err)
				}
				costs[t.name][p.Name] = append(costs[t.name][p.Name], cost)
			}
		}
		fmt.Fprintf(out, "round %d of %d done\n", round+1, o.rounds)
	}
	page, short := report(field, costs, o)
	return rig.Finish(out, page, o.page, short)
}

// measure returns the CPU time of one request or handshake.
func measure(ctx context.Context, p *peers.Peer, t trial, o options) (time.Duration, error) {
	before, err := p.CPU()
	if err != nil {
		return 0, err
	}
	n, err := t.do(ctx, p, o)
	if err != nil {
		return 0, err
	}
	after, err := p.CPU()
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, errors.New("nothing was answered")
	}
	return (after - before) / time.Duration(n), nil
}

// median of what the rounds measured.
func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
