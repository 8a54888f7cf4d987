package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"neargate/bench/rig"
)

// The goals, of the medians.
const (
	orderGoal = 2 * time.Second
	firstGoal = 300 * time.Millisecond
	manyGoal  = 3 * time.Second
)

func seconds(d time.Duration) string {
	if d == 0 {
		return "never"
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// report writes the tables as Markdown, and says whether a goal was not met.
func report(o options, p plan, steps []stepResult, bursts map[int][]time.Duration, average string) (page string, short bool) {
	var b strings.Builder
	fmt.Fprintf(&b, "# From a step in load to healthy tasks\n\n")
	fmt.Fprintf(&b, "`go run ./bench/step -rounds %d -many %d` on %s, %s. Load average before: %s.\n\n",
		o.rounds, o.many, time.Now().UTC().Format(time.DateOnly), rig.Machine(), average)
	fmt.Fprintf(&b, "A fresh service of %d task of %d CPU units in each round, target tracking at CPU %d %%, %d to %d tasks, behind a load balancer; %v of the light load, then the step: %s. Clients come evenly, one request each every %v. An order is a scaling activity, its time the activity's StartTime; healthy is what DescribeTargetHealth says, asked every 10 ms.\n\n",
		least, rig.TaskCPU, target, least, most, calm, p, pace)
	b.WriteString("| round | step to first order | orders until the need was reached | desired counts | order to first new healthy task | order until as many as needed are healthy | requests failed | slowest request |\n|---|---|---|---|---|---|---|---|\n")
	for i, r := range steps {
		orders := fmt.Sprint(r.orders)
		if !r.reached {
			orders = "never"
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s | %d | %s |\n", i+1, seconds(r.order), orders,
			strings.Trim(strings.Join(strings.Fields(fmt.Sprint(r.counts)), ", "), "[]"), seconds(r.first), seconds(r.all), r.failed, seconds(r.slowest))
	}
	b.WriteString("\n| | median | worst | goal of the median |\n|---|---|---|---|\n")
	pick := func(of func(stepResult) time.Duration) (v []time.Duration) {
		for _, r := range steps {
			v = append(v, of(r))
		}
		return v
	}
	met := line(&b, "step to first order", pick(func(r stepResult) time.Duration { return r.order }), orderGoal)
	met = line(&b, "order to first new healthy task", pick(func(r stepResult) time.Duration { return r.first }), firstGoal) && met
	met = line(&b, "order until as many as needed are healthy", pick(func(r stepResult) time.Duration { return r.all }), 0) && met
	met = line(&b, "UpdateService 0 to 1 until it is healthy, nothing else running", bursts[1], firstGoal) && met
	met = line(&b, fmt.Sprintf("UpdateService 0 to %d until all are healthy", o.many), bursts[o.many], manyGoal) && met
	return b.String(), !met
}

// line is a row with the median and the worst of v; what never happened is the
// worst of all. A goal of zero is none, and always met.
func line(b *strings.Builder, name string, v []time.Duration, goal time.Duration) bool {
	slices.SortFunc(v, func(a, b time.Duration) int {
		switch {
		case a == b:
			return 0
		case a == 0 || b != 0 && a > b:
			return 1
		}
		return -1
	})
	median, verdict, met := v[len(v)/2], "", true
	if goal > 0 {
		met = median > 0 && median <= goal
		verdict = "≤ " + seconds(goal) + ": " + rig.Verdict(met)
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s |\n", name, seconds(median), seconds(v[len(v)-1]), verdict)
	return met
}
