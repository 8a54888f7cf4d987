// Command rollback measures how soon a deployment that is called back is out of
// the traffic: from the order to stop it, or from the state of its alarm, to the
// last answer of the new revision, by each strategy with traffic of its own. Real
// tasks answer a steady load, over connections that are kept and ones that are
// not. Run it as root, on an idle machine:
//
//	go run ./bench/rollback
//
// It ends with status 1 when the goal is not met, or a request failed.
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

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/bench/rig"
)

// goal is how long after the order the new revision may answer.
const goal = time.Second

func main() {
	if len(os.Args) > 1 && os.Args[1] == taskArgument {
		if err := answer(); err != nil {
			fmt.Fprintln(os.Stderr, "task:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.IntVar(&o.rounds, "rounds", 5, "rollbacks of each kind")
	flag.IntVar(&o.rate, "rate", 1000, "requests a second")
	flag.IntVar(&o.lines, "connections", 32, "requests at once; every other one is on a connection of its own")
	flag.StringVar(&o.page, "o", "", "write the results to this file, too")
	flag.Parse()
	rig.Main("rollback", func(ctx context.Context, out io.Writer) error { return run(ctx, out, o) })
}

type options struct {
	rounds, rate, lines int
	page                string
}

// outcome is what came of the rollbacks of one kind.
type outcome struct {
	strategy types.DeploymentStrategy
	by       string
	took     []time.Duration // to the last answer of the new revision
}

func run(ctx context.Context, out io.Writer, o options) error {
	if os.Getuid() != 0 {
		return errors.New("needs root: containers")
	}
	if o.rounds < 1 || o.lines < 2 || o.rate < o.lines {
		return errors.New("-rounds must be at least 1, -connections 2, and -rate as much as -connections")
	}
	return rig.With(ctx, func(s *rig.Server, _ string) error { return onServer(ctx, s, out, o) })
}

// onServer has a server roll deployments back under load.
func onServer(ctx context.Context, s *rig.Server, out io.Writer, o options) error {
	average := rig.LoadAverage()
	b, err := deployed(ctx, s)
	if err != nil {
		return err
	}
	load := startLoad(ctx, b.address, o)
	outcomes, err := b.rollbacks(ctx, load, o.rounds)
	sent, failed := load.end()
	if err != nil {
		return err
	}
	page, short := report(outcomes, o, average)
	page += fmt.Sprintf("\n%d requests, %d failed.\n", sent, len(failed))
	if len(failed) > 0 {
		page += "The first: " + failed[0] + "\n"
	}
	return rig.Finish(out, page, o.page, short || len(failed) > 0)
}

// rollbacks has deployments of each kind called back.
func (b *bench) rollbacks(ctx context.Context, load *load, rounds int) ([]outcome, error) {
	var all []outcome
	for _, config := range strategies() {
		for _, by := range []string{byOrder, byAlarm} {
			one := outcome{strategy: config.Strategy, by: by}
			for range rounds {
				took, err := b.rollback(ctx, load, config, by)
				if err != nil {
					return nil, fmt.Errorf("roll back %s by %s: %w", config.Strategy, by, err)
				}
				one.took = append(one.took, took)
			}
			all = append(all, one)
		}
	}
	return all, nil
}

func report(outcomes []outcome, o options, average string) (page string, short bool) {
	var b strings.Builder
	fmt.Fprintf(&b, "# From the order to roll back to the last answer of the new revision\n\n%s; load %s. %d requests a second, %d at once; 2 tasks a revision.\n\n", rig.Machine(), average, o.rate, o.lines)
	fmt.Fprintln(&b, "| strategy | by | median | least | most | rollbacks |\n|---|---|---|---|---|---|")
	for _, one := range outcomes {
		d := slices.Sorted(slices.Values(one.took))
		fmt.Fprintf(&b, "| %s | %s | %.0f ms | %.0f ms | %.0f ms | %d |\n", one.strategy, one.by, ms(d[len(d)/2]), ms(d[0]), ms(d[len(d)-1]), len(d))
		short = short || d[len(d)-1] > goal
	}
	fmt.Fprintf(&b, "\nGoal: each within %v: %s.\n", goal, rig.Verdict(!short))
	return b.String(), short
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
