// Command services measures what it costs to decide very many services every
// second, on fake tasks under a steady load: the CPU time of the way from the
// tasks' consumption to the decision, and of the whole server.
//
//	go run ./bench/services -services 1000 -tasks 20
//
// It ends with status 1 when the goal is not met. -cpuprofile writes a profile
// of the measured time for go tool pprof.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"strings"
	"time"

	"neargate/bench/rig"
	"neargate/bench/services/steady"
)

// goal is the share of a core that deciding may take, for a thousand services
// of twenty tasks.
const goal = 0.10

type options struct {
	services, tasks, seconds, warm int
	profile, out                   string
	json                           bool
}

func main() {
	var o options
	flag.IntVar(&o.services, "services", 1000, "services")
	flag.IntVar(&o.tasks, "tasks", 20, "tasks of each service")
	flag.IntVar(&o.seconds, "seconds", 70, "measured seconds; alarms have a turn each minute")
	flag.IntVar(&o.warm, "warm", 20, "seconds of the same load before")
	flag.BoolVar(&o.json, "json", false, "print the result as JSON only")
	flag.StringVar(&o.profile, "cpuprofile", "", "file for a CPU profile of the measured seconds")
	flag.StringVar(&o.out, "out", "", "file to write the results to, e.g. bench/services/RESULTS.md")
	flag.Parse()
	rig.Main("services", func(ctx context.Context, w io.Writer) error { return run(ctx, o, w) })
}

func run(ctx context.Context, o options, w io.Writer) error {
	if o.seconds < 30 || o.warm < 0 {
		return errors.New("-seconds must be at least 30, and -warm not negative")
	}
	average := rig.LoadAverage()
	cfg := steady.Config{
		Services: o.services, Tasks: o.tasks,
		Window: time.Duration(o.seconds) * time.Second, Warm: time.Duration(o.warm) * time.Second,
	}
	if o.profile != "" {
		cfg.Begin = func() (func() error, error) { return profile(o.profile) }
	}
	r, err := steady.Run(ctx, cfg)
	if err != nil {
		return err
	}
	if o.json {
		return json.NewEncoder(w).Encode(r)
	}
	return rig.Finish(w, report(o, r, average), o.out, r.Path > goal)
}

// profile writes a CPU profile until end is called.
func profile(file string) (end func() error, err error) {
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// report writes the table as Markdown.
func report(o options, r steady.Result, average string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Deciding %d services of %d tasks every second\n\n", o.services, o.tasks)
	fmt.Fprintf(&b, "`go run ./bench/services -services %d -tasks %d` on %s, %s. Load average before: %s.\n\n",
		o.services, o.tasks, time.Now().UTC().Format(time.DateOnly), rig.Machine(), average)
	fmt.Fprintf(&b, "%.0f s of a steady load at the policy's target, Poisson arrivals, every service behind a load balancer of its own; %d decisions, %d scaling activities. Containers and connections are stood in for, without their cost; the rest is the server's own. CPU seconds per second:\n\n",
		r.Seconds, r.Decided, r.Moved)
	b.WriteString("| | cores | goal |\n|---|---|---|\n")
	fmt.Fprintf(&b, "| from the tasks' consumption to the decision | %.3f | ≤ %.2f: %s |\n", r.Path, goal, rig.Verdict(r.Path <= goal))
	fmt.Fprintf(&b, "| the whole server | %.3f | |\n", r.Server)
	b.WriteString("\n| part of the server | cores |\n|---|---|\n")
	for _, p := range r.Parts {
		fmt.Fprintf(&b, "| %s | %.3f |\n", p.Name, p.Cores)
	}
	return b.String()
}
