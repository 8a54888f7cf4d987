// Command furnished measures what a task's secrets, parameters, environment
// file, volumes and credentials add to the time from the order for it to its
// first answer. On one server, tasks that have none of them and tasks that have
// all take turns. The order is RunTask; the answer is the program's, which has
// looked before whether everything is there. Run it as root, on an idle
// machine:
//
//	go run ./bench/furnished
//
// It ends with status 1 when the goal is not met.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"neargate/bench/rig"
)

// goal is how much later a furnished task may answer.
const goal = 20 * time.Millisecond

func main() {
	if len(os.Args) > 1 && (os.Args[1] == plainTask || os.Args[1] == furnishedTask) {
		if err := answer(os.Args[1] == furnishedTask); err != nil {
			fmt.Fprintln(os.Stderr, "task:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.IntVar(&o.rounds, "rounds", 30, "tasks of each kind")
	flag.StringVar(&o.page, "o", "", "write the results to this file, too")
	flag.Parse()
	rig.Main("furnished", func(ctx context.Context, out io.Writer) error { return run(ctx, out, o) })
}

type options struct {
	rounds int
	page   string
}

func run(ctx context.Context, out io.Writer, o options) error {
	if os.Getuid() != 0 {
		return errors.New("needs root: containers")
	}
	if o.rounds < 3 {
		return errors.New("-rounds must be at least 3")
	}
	return rig.With(ctx, func(s *rig.Server, _ string) error { return onServer(ctx, s, out, o) })
}

// onServer has a server run plain and furnished tasks by turns.
func onServer(ctx context.Context, s *rig.Server, out io.Writer, o options) error {
	b, err := furnish(ctx, s)
	if err != nil {
		return err
	}
	load := rig.LoadAverage()
	took := map[string][]time.Duration{}
	for i := range o.rounds + 1 {
		for _, kind := range []string{plainTask, furnishedTask} {
			d, err := b.order(ctx, kind)
			if err != nil {
				return fmt.Errorf("a %s task: %w", kind, err)
			}
			if i > 0 { // the first one warms the caches
				took[kind] = append(took[kind], d)
			}
		}
	}
	page, short := report(took, load)
	return rig.Finish(out, page, o.page, short)
}

func report(took map[string][]time.Duration, load string) (page string, short bool) {
	var b strings.Builder
	fmt.Fprintf(&b, "# What secrets, volumes and credentials add to a start\n\n%s; load %s. From RunTask to the task's answer, in turns.\n", rig.Machine(), load)
	fmt.Fprintf(&b, "Furnished is: %d secrets by key, %d SecureString parameters, an environment file from S3, a volume of the task, one on EFS, and credentials of a role, which the program fetches before it answers.\n\n", secrets, parameters)
	fmt.Fprintln(&b, "| task | median | least | most | tasks |\n|---|---|---|---|---|")
	for _, kind := range []string{plainTask, furnishedTask} {
		d := took[kind]
		slices.Sort(d)
		fmt.Fprintf(&b, "| %s | %.1f ms | %.1f ms | %.1f ms | %d |\n", kind, ms(median(d)), ms(d[0]), ms(d[len(d)-1]), len(d))
	}
	more := median(took[furnishedTask]) - median(took[plainTask])
	least := took[furnishedTask][0] - took[plainTask][0]
	fmt.Fprintf(&b, "\nAdded: %.1f ms at the median, %.1f ms between the least. Goal: at most %.0f ms at the median: %s.\n", ms(more), ms(least), ms(goal), rig.Verdict(more <= goal))
	return b.String(), more > goal
}

// median is of a sorted sample.
func median(d []time.Duration) time.Duration { return d[len(d)/2] }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
