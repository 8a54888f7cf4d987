// Command validate checks the simulator against real containers. It calibrates
// it by a short run of the service, replays three loads of three minutes in
// real time through a server of its own (its balancer, its live policy), and
// simulates the same loads: the same moments of the same requests. The
// simulated p99 and task-seconds must lie within 15 % of what was measured.
// Run it as root, on an idle machine:
//
//	go run ./bench/validate
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"neargate/bench/rig"
)

// options are the command's flags.
type options struct {
	length     time.Duration
	seed       uint64
	startup    time.Duration
	precedence bool
	out        string
}

func main() {
	var o options
	flag.DurationVar(&o.length, "length", 3*time.Minute, "length of each load")
	flag.DurationVar(&o.startup, "startup", 10*time.Second, "how long the app takes to start")
	flag.Uint64Var(&o.seed, "seed", 2, "seed of the requests' moments")
	flag.BoolVar(&o.precedence, "precedence", false, "give the run's processes CPU time before all others, on a machine that is not idle")
	flag.StringVar(&o.out, "out", "", "file to write the results to, e.g. bench/validate/RESULTS.md")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "validate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, w io.Writer) error {
	if o.length < 10*time.Second {
		return errors.New("-length must be at least 10s")
	}
	return rig.With(ctx, func(s *rig.Server, binary string) error { return onServer(ctx, s, binary, w, o) })
}

// onServer has a server run what the simulator does.
func onServer(ctx context.Context, s *rig.Server, binary string, w io.Writer, o options) error {
	if o.precedence {
		back, err := takePrecedence(s.PID)
		if err != nil {
			return fmt.Errorf("take precedence: %w", err)
		}
		defer back()
	}
	average := rig.LoadAverage()
	g, err := rig.SetUp(ctx, s, binary, o.startup)
	if err != nil {
		return err
	}
	v := validation{Stage: g, options: o, w: w}
	var lines []line
	for _, name := range loads() {
		l, err := v.load(ctx, name)
		if err != nil {
			return fmt.Errorf("load %s: %w", name, err)
		}
		fmt.Fprintln(w, l)
		lines = append(lines, l)
	}
	page, short := report(o, lines, average)
	return rig.Finish(w, page, o.out, short)
}
