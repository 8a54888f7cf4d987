// Command metadata measures what answering tasks costs the server: a real task
// asks for its credentials and metadata at a steady rate, over connections that
// it keeps and over a new one for each call. Counted is the CPU time of the
// server's process, not the task's. Run it as root, on an idle machine:
//
//	go run ./bench/metadata
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"neargate/bench/rig"
)

// goal is the share of a core for a thousand calls a second.
const goal = 0.10

func main() {
	if len(os.Args) > 1 && os.Args[1] == callerArgument {
		if err := serveCaller(); err != nil {
			fmt.Fprintln(os.Stderr, "caller:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.IntVar(&o.rate, "rate", 1000, "calls a second")
	flag.DurationVar(&o.span, "for", 10*time.Second, "how long each kind of call is made")
	flag.StringVar(&o.only, "only", "", "make only the calls whose name has this in it")
	flag.StringVar(&o.page, "o", "", "write the results to this file, too")
	flag.Parse()
	rig.Main("metadata", func(ctx context.Context, out io.Writer) error { return run(ctx, out, o) })
}

type options struct {
	rate int
	span time.Duration
	only string
	page string
}

// round is one kind of call.
type round struct {
	name, what string
	fresh      bool // a connection for each call
	goal       bool // the goal is for it
}

func run(ctx context.Context, out io.Writer, o options) error {
	if os.Getuid() != 0 {
		return errors.New("needs root: containers")
	}
	return rig.With(ctx, func(s *rig.Server, _ string) error { return onServer(ctx, s, out, o) })
}

// onServer has a task ask a server.
func onServer(ctx context.Context, s *rig.Server, out io.Writer, o options) error {
	address, err := startCaller(ctx, s)
	if err != nil {
		return err
	}
	idle, err := cpuOver(s.PID, func() error { return rig.Pause(ctx, o.span) })
	if err != nil {
		return err
	}
	var page strings.Builder
	fmt.Fprintf(&page, "# What answering tasks costs\n\n%s; load %s. %d calls a second for %s, from a task of 2 CPUs.\n", rig.Machine(), rig.LoadAverage(), o.rate, o.span)
	fmt.Fprintf(&page, "Idle, the server takes %.1f %% of a core, which is not subtracted.\n\n", 100*idle/o.span.Seconds())
	fmt.Fprintln(&page, "| call | calls a second | share of a core | microseconds each | median, p99 at the caller | failed |\n|---|---|---|---|---|---|")
	short := false
	for _, r := range []round{
		{name: "credentials", what: "credentials", goal: true},
		{name: "metadata of the container", what: "", goal: true},
		{name: "metadata of the task", what: "/task", goal: true},
		{name: "stats of the task", what: "/task/stats"},
		{name: "credentials, a connection each", what: "credentials", fresh: true, goal: true},
	} {
		if !strings.Contains(r.name, o.only) {
			continue
		}
		var got result
		used, err := cpuOver(s.PID, func() (err error) {
			got, err = ask(ctx, address, r, o)
			return err
		})
		if err != nil {
			return err
		}
		perSecond := float64(got.Sent) / got.Took.Seconds()
		share := used / got.Took.Seconds()
		fmt.Fprintf(&page, "| %s | %.0f | %.1f %% | %.0f | %s, %s | %d |\n", r.name, perSecond, 100*share, 1e6*used/float64(max(1, got.Sent)), got.Median, got.P99, got.Failed)
		short = short || got.Failed > 0 || r.goal && share > goal*float64(o.rate)/1000
	}
	fmt.Fprintf(&page, "\nGoal: 1,000 calls a second for at most 10 %% of a core: %s.\n", rig.Verdict(!short))
	return rig.Finish(out, page.String(), o.page, short)
}

// cpuOver returns the CPU seconds that a process uses meanwhile.
func cpuOver(pid int, during func() error) (float64, error) {
	before, err := rig.CPUTime(pid)
	if err != nil {
		return 0, err
	}
	if err := during(); err != nil {
		return 0, err
	}
	after, err := rig.CPUTime(pid)
	return (after - before).Seconds(), err
}

// ask has the task make calls.
func ask(ctx context.Context, address string, r round, o options) (got result, err error) {
	url := fmt.Sprintf("http://%s/?what=%s&rate=%d&for=%s&fresh=%v", address, r.what, o.rate, o.span, r.fresh)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return got, err
	}
	resp, err := (&http.Client{}).Do(req)
	if err != nil {
		return got, fmt.Errorf("ask the caller: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	return got, decode(resp, &got)
}
