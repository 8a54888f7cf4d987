// Command proxy compares HTTP/1.1 proxies in one interleaved run on loopback:
// none at all, Neargate's data plane (with rules and without), nginx, HAProxy and net/http's
// ReverseProxy, each before the same four backends, under wrk.
//
// It counts the CPU that the proxy itself used, since requests per second and
// tails depend on what else the machine does. Peers that are not installed are
// left out aloud.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"neargate/bench/peers"
)

// options are the command's flags.
type options struct {
	rounds  int
	seconds int
	conns   int
	churn   bool
	out     string
	role    string
	addr    string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; the median of them counts")
	flag.IntVar(&o.seconds, "seconds", 2, "seconds of load for each contestant, size and round")
	flag.IntVar(&o.conns, "conns", 64, "keep-alive connections")
	flag.BoolVar(&o.churn, "churn", false, "have each request on a connection of its own")
	flag.StringVar(&o.out, "out", "", "file to write the results to, e.g. bench/proxy/RESULTS.md")
	flag.StringVar(&o.role, "role", "", "internal: be a backend or a proxy")
	flag.StringVar(&o.addr, "addr", "", "internal: where that role listens")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if o.role != "" {
		err = play(ctx, o.role, o.addr, flag.Args())
	} else {
		err = compare(ctx, o, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "proxy:", err)
		stop()
		os.Exit(1)
	}
}

// compare starts all contestants, loads them in turn, and reports.
func compare(ctx context.Context, o options, w io.Writer) error {
	if _, err := exec.LookPath("wrk"); err != nil {
		return errors.New("wrk is needed: apt-get install wrk")
	}
	dir, err := os.MkdirTemp("", "proxy-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	field, err := assemble(ctx, dir, w)
	defer field.stop()
	if err != nil {
		return err
	}
	runs := map[cell][]run{}
	began := time.Now()
	for round := range o.rounds {
		for _, size := range peers.Sizes() {
			for i := range field.contestants {
				// Another one goes first in each round.
				c := field.contestants[(i+round)%len(field.contestants)]
				r, err := load(ctx, c, size, o)
				if err != nil {
					return fmt.Errorf("load %s: %w", c.name, err)
				}
				key := cell{c.name, size}
				runs[key] = append(runs[key], r)
			}
		}
		fmt.Fprintf(w, "round %d of %d done after %s\n", round+1, o.rounds, time.Since(began).Round(time.Second))
	}
	page := report(field, runs, o)
	fmt.Fprint(w, "\n", page)
	if o.out == "" {
		return nil
	}
	return os.WriteFile(o.out, []byte(page), 0o644)
}
