// Command zero measures what a service that has no task while nobody asks for it
// costs those who ask: a request after each idle period, which waits at the load
// balancer until the task that it has ordered is healthy, beside the time that a
// task takes to start. Real containers, with the server as a user runs it. Then many
// clients come at once. Run it as root, on an idle machine:
//
//	go run ./bench/zero
//
// It ends with status 1 when the goal is not met, or a request was not answered.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"neargate/bench/rig"
	"neargate/internal/cli/stage"
	"neargate/internal/decide/routing"
)

// The goals: over what a start takes, and in all for the workshop's app.
const (
	over  = 100 * time.Millisecond
	inAll = 200 * time.Millisecond
)

// options are the command's flags.
type options struct {
	periods int
	crowd   int
	out     string
}

func main() {
	var o options
	flag.IntVar(&o.periods, "periods", 20, "idle periods, each ended by one request")
	flag.IntVar(&o.crowd, "crowd", 10_000, "clients that come at once while there is no task; 0 leaves them out")
	flag.StringVar(&o.out, "out", "", "file to write the results to")
	flag.Parse()
	rig.Main("zero", func(ctx context.Context, w io.Writer) error { return run(ctx, o, w) })
}

func run(ctx context.Context, o options, w io.Writer) error {
	if o.periods < 1 {
		return errors.New("-periods must be at least 1")
	}
	return rig.With(ctx, func(s *rig.Server, binary string) error { return onServer(ctx, s, binary, w, o) })
}

// onServer has requests come to a server while nothing runs there.
func onServer(ctx context.Context, s *rig.Server, binary string, w io.Writer, o options) error {
	average := rig.LoadAverage()
	g, err := rig.SetUp(ctx, s, binary, 0)
	if err != nil {
		return err
	}
	r, err := measure(ctx, o, bench{g}, w)
	if err != nil {
		return err
	}
	page := fmt.Sprintf("%s, load average %s before\n\n%s", rig.Machine(), average, r.page())
	return rig.Finish(w, page, o.out, !r.met())
}

// results are the times of all parts, sorted.
type results struct {
	starts []time.Duration // from the order of a task by UpdateService to its healthy target
	firsts []time.Duration // of the requests that ended idle periods
	failed []string
	crowd  crowd
}

func measure(ctx context.Context, o options, b bench, w io.Writer) (r results, err error) {
	if err := b.CreateService(ctx, service, 0); err != nil {
		return r, err
	}
	for range o.periods {
		d, err := b.start(ctx)
		if err != nil {
			return r, err
		}
		r.starts = append(r.starts, d)
	}
	fmt.Fprintf(w, "a start takes %s\n", spread(r.starts))
	if err := b.scale(ctx); err != nil {
		return r, err
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	for i := range o.periods {
		began := time.Now()
		if err := stage.Ask(ctx, client, "http://"+b.Address+"/"); err != nil {
			r.failed = append(r.failed, err.Error())
		}
		r.firsts = append(r.firsts, time.Since(began))
		idle := time.Now()
		if err := b.untilZero(ctx); err != nil {
			return r, err
		}
		fmt.Fprintf(w, "request %d answered after %v; no task %v later\n", i+1, r.firsts[i].Round(time.Millisecond), time.Since(idle).Round(time.Second))
	}
	if o.crowd > 0 {
		r.crowd = b.gather(ctx, o.crowd)
	}
	slices.Sort(r.starts)
	slices.Sort(r.firsts)
	return r, nil
}

// limit is what the 99th percentile of the firsts may be.
func (r results) limit() time.Duration { return max(inAll, quantile(r.starts, 0.5)+over) }

func (r results) met() bool {
	c := r.crowd
	return len(r.failed) == 0 && quantile(r.firsts, 0.99) <= r.limit() && len(c.failed) == 0 &&
		c.answered >= min(c.asked, routing.MostStandby)
}

func (r results) page() string {
	var p strings.Builder
	fmt.Fprintf(&p, "a task's start, from the order to its healthy target: %s\n", spread(r.starts))
	fmt.Fprintf(&p, "a request with no task there, to its answer: %s; %d of %d answered\n", spread(r.firsts), len(r.firsts)-len(r.failed), len(r.firsts))
	fmt.Fprintf(&p, "p99 at most %v: %s\n", r.limit().Round(time.Millisecond), rig.Verdict(quantile(r.firsts, 0.99) <= r.limit()))
	if c := r.crowd; c.asked > 0 {
		fmt.Fprintf(&p, "%d clients at once: %d answered 200, the last after %v; %d answered 503, the last after %v; %d not let in\n",
			c.asked, c.answered, c.lastAnswer.Round(time.Millisecond), c.refused, c.lastRefusal.Round(time.Millisecond), c.closed)
	}
	for _, f := range slices.Concat(r.failed, r.crowd.failed) {
		fmt.Fprintln(&p, "failed:", f)
	}
	return p.String()
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func spread(d []time.Duration) string {
	d = slices.Sorted(slices.Values(d))
	ms := func(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d)/float64(time.Millisecond)) }
	return fmt.Sprintf("median %s ms, p99 %s ms (%s to %s)", ms(quantile(d, 0.5)), ms(quantile(d, 0.99)), ms(d[0]), ms(d[len(d)-1]))
}
