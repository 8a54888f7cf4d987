// Command elastic says how good the scaling is: how fast it answers, how calm
// it is, how near to the limits that no scaler can beat. It runs the server's
// own decisions in the simulator and prints one line for each goal: its number,
// whether it is met or short, the figure with its spread, and the goal.
//
//	go run ./bench/elastic                      # all goals, some minutes
//	go run ./bench/elastic -goals 1,5 -v        # two of them, with details
//	go run ./bench/elastic -load trace.csv      # goals 3 and 4 on another load
//
// It ends with status 1 when a goal is short. Start-up 10 s, tasks of 1 vCPU,
// requests of 100 ms of CPU (coefficient of variation 0.2), CPU target 50 %, 2 to
// 20 tasks, cooldowns 30 s, loads scaled so that their peak needs 18 tasks,
// unless a goal says otherwise.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	var b bench
	var goals string
	flag.StringVar(&goals, "goals", "", "numbers of the goals to judge, by comma; empty is all")
	flag.StringVar(&b.traces, "traces", "../shared/traces", "directory of recorded loads")
	flag.Func("load", "judge goals 3 and 4 on this load; may be given again", func(s string) error {
		b.loads = append(b.loads, s)
		return nil
	})
	flag.Float64Var(&b.peak, "peak", 18, "tasks that the peak of each load needs; above 20 the maximum cuts it off")
	flag.IntVar(&b.seeds, "seeds", 5, "seeds of each run; steps take 20 times as many")
	flag.IntVar(&b.calmSeeds, "calm-seeds", 1, "seeds of each rate of goal 2: each is a day")
	flag.Float64Var(&b.grid, "grid", 0.5, "grid of goal 2 in requests per second")
	flag.BoolVar(&b.verbose, "v", false, "print what each figure is made of")
	flag.IntVar(&b.parallel, "parallel", runtime.GOMAXPROCS(0), "runs at once")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	b.out = os.Stdout
	short, err := b.judge(ctx, goals)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "elastic:", err)
		os.Exit(2)
	}
	if short {
		os.Exit(1)
	}
}

// bench is one judgement.
type bench struct {
	traces    string
	loads     []string
	seeds     int
	calmSeeds int
	peak      float64
	grid      float64
	verbose   bool
	parallel  int
	out       io.Writer
}

// verdict is one goal's figure.
type verdict struct {
	met    bool
	figure string
	goal   string
	detail []string
}

// goal is one thing to judge.
type goal struct {
	number int
	judge  func(*bench, context.Context) (verdict, error)
}

func all() []goal {
	return []goal{
		{1, (*bench).stepAnswered},
		{2, (*bench).calm},
		{3, (*bench).cost},
		{4, (*bench).slo},
		{5, (*bench).recovery},
		{6, (*bench).delays},
		{7, (*bench).week},
		{8, (*bench).services},
	}
}

func (b *bench) judge(ctx context.Context, which string) (short bool, err error) {
	if b.seeds < 1 || b.calmSeeds < 1 || b.parallel < 1 || !(b.grid > 0) || !(b.peak > 0) {
		return false, errors.New("-seeds, -calm-seeds, -parallel, -grid and -peak must be above 0")
	}
	goals, err := b.pick(which)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(b.out, "seeds 1 to %d, %d steps; tasks start in %v\n", b.seeds, b.seeds*stepSeeds, start)
	for _, g := range goals {
		v, err := g.judge(b, ctx)
		if err != nil {
			return short, fmt.Errorf("goal %d: %w", g.number, err)
		}
		word := "met  "
		if !v.met {
			word, short = "short", true
		}
		fmt.Fprintf(b.out, "goal %d  %s  %s  (goal: %s)\n", g.number, word, v.figure, v.goal)
		if b.verbose {
			for _, d := range v.detail {
				fmt.Fprintln(b.out, "        "+d)
			}
		}
	}
	return short, nil
}

// pick returns the goals that are asked for: with loads given, those that judge
// loads.
func (b *bench) pick(which string) ([]goal, error) {
	goals := all()
	if which == "" && len(b.loads) > 0 {
		which = "3,4"
	}
	if which == "" {
		return goals, nil
	}
	var picked []goal
	for part := range strings.SplitSeq(which, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		i := slices.IndexFunc(goals, func(g goal) bool { return g.number == n })
		if err != nil || i < 0 {
			return nil, fmt.Errorf("-goals %q: want numbers from 1 to %d", which, len(goals))
		}
		picked = append(picked, goals[i])
	}
	return picked, nil
}
