// Command step measures the whole system through the AWS APIs, on real
// containers, with the server as a user runs it: the built binary.
//
// A load that one task carries becomes one that needs eight, from one moment
// to the next, and it takes the time until the policy's first order, until the
// first new task answers its health check, and until all do. Then, with no other
// load, it takes the time from one UpdateService from 0 to 1 and to 20 tasks
// until all are healthy. Run it
// as root, on an idle machine:
//
//	go run ./bench/step
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"neargate/bench/rig"
)

// options are the command's flags.
type options struct {
	rounds int
	many   int
	out    string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of each part; each has a service of its own")
	flag.IntVar(&o.many, "many", 20, "tasks that one UpdateService asks for")
	flag.StringVar(&o.out, "out", "", "file to write the results to, e.g. bench/step/RESULTS.md")
	flag.Parse()
	rig.Main("step", func(ctx context.Context, w io.Writer) error { return run(ctx, o, w) })
}

func run(ctx context.Context, o options, w io.Writer) error {
	if o.rounds < 1 || o.many < 1 {
		return errors.New("-rounds and -many must be at least 1")
	}
	return rig.With(ctx, func(s *rig.Server, binary string) error { return onServer(ctx, s, binary, w, o) })
}

// onServer does all rounds on one server.
func onServer(ctx context.Context, s *rig.Server, binary string, w io.Writer, o options) error {
	page, short, err := measure(ctx, o, s, binary, w)
	if err != nil {
		return err
	}
	return rig.Finish(w, page, o.out, short)
}

func measure(ctx context.Context, o options, s *rig.Server, binary string, w io.Writer) (page string, short bool, err error) {
	began, average := time.Now(), rig.LoadAverage()
	stage, err := rig.SetUp(ctx, s, binary, 0)
	if err != nil {
		return "", false, err
	}
	b := bench{stage}
	plan, err := b.calibrate(ctx)
	if err != nil {
		return "", false, fmt.Errorf("calibrate: %w", err)
	}
	fmt.Fprintln(w, plan)
	var steps []stepResult
	for i := range o.rounds {
		r, err := b.step(ctx, fmt.Sprintf("step-%d", i+1), plan)
		if err != nil {
			return "", false, fmt.Errorf("round %d: %w", i+1, err)
		}
		steps = append(steps, r)
		fmt.Fprintf(w, "%5.0f s  step %d of %d: %s\n", time.Since(began).Seconds(), i+1, o.rounds, r)
	}
	bursts := map[int][]time.Duration{}
	for _, tasks := range []int{1, o.many} {
		for i := range o.rounds {
			d, err := b.burst(ctx, fmt.Sprintf("burst-%d-%d", tasks, i+1), tasks)
			if err != nil {
				return "", false, fmt.Errorf("%d tasks, round %d: %w", tasks, i+1, err)
			}
			bursts[tasks] = append(bursts[tasks], d)
			fmt.Fprintf(w, "%5.0f s  0 to %d tasks, %d of %d: all healthy after %s\n", time.Since(began).Seconds(), tasks, i+1, o.rounds, seconds(d))
		}
	}
	page, short = report(o, plan, steps, bursts, average)
	return page, short, nil
}

// bench is a stage with the measurements on it.
type bench struct{ *rig.Stage }
