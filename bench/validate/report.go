package main

import (
	"fmt"
	"math"
	"strings"

	"neargate/bench/rig"
)

// within is how far a simulated figure may lie from the measured one, percent.
const within = 15

// report is the page of results.
func report(o options, lines []line, average string) (page string, short bool) {
	var b strings.Builder
	fmt.Fprintf(&b, "# The simulator beside real containers\n\n%s; load average %s at the beginning. `go run ./bench/validate", rig.Machine(), average)
	if o.precedence {
		b.WriteString(" -precedence")
	}
	fmt.Fprintf(&b, "`\n\nThree loads of %v on tasks of %g vCPU, target CPU %d %%, %d to %d tasks, live timing, on an app that takes %v to start: replayed in real time through the server, and simulated. The requests come at the same moments in both. The start-up time is of a calibration just before each load; what a request costs, of the replay itself.\n\n", o.length, rig.TaskVCPU, target, least, most, o.startup)
	b.WriteString("| load | figure | measured | simulated | off | goal | |\n|---|---|---|---|---|---|---|\n")
	row := func(l line, figure, unit string, measured, simulated float64) {
		d := off(simulated, measured)
		met := math.Abs(d) <= within
		short = short || !met
		fmt.Fprintf(&b, "| %s | %s | %.0f%s | %.0f%s | %+.1f %% | within %d %% | %s |\n", l.name, figure, measured, unit, simulated, unit, d, within, rig.Verdict(met))
	}
	for _, l := range lines {
		row(l, "p99", " ms", l.real.p99*1000, l.simulated.p99*1000)
		row(l, "task-seconds", "", l.real.taskSeconds, l.simulated.taskSeconds)
	}
	fmt.Fprintf(&b, "\nSimulated with the calibration alone, which cannot know how fast the machine will be. The spans are from the 5th to the 95th of %d simulations whose cost of a request is drawn with a standard deviation of %g %% and whose start-up with %g %%:\n\n| load | CPU of a request, calibrated | in the replay | p99 | span | off | task-seconds | span | off |\n|---|---|---|---|---|---|---|---|---|\n", doubtDraws, 100*demandDoubt, 100*startDoubt)
	for _, l := range lines {
		f := l.foretold
		fmt.Fprintf(&b, "| %s | %.1f ms | %.1f ms | %.0f ms | %.0f to %.0f | %+.1f %% | %.0f | %.0f to %.0f | %+.1f %% |\n", l.name, f.cost*1000, l.real.cost*1000,
			f.p99*1000, l.p99.low*1000, l.p99.high*1000, off(f.p99, l.real.p99), f.taskSeconds, l.taskSeconds.low, l.taskSeconds.high, off(f.taskSeconds, l.real.taskSeconds))
	}
	b.WriteString("\nBeside them, measured and simulated:\n\n| load | requests | failed | p50 | orders | other programs |\n|---|---|---|---|---|---|\n")
	for _, l := range lines {
		fmt.Fprintf(&b, "| %s | %d | %d | %.0f, %.0f ms | %d, %d | %.2f cores |\n", l.name, l.real.requests, l.real.failed,
			l.real.p50*1000, l.simulated.p50*1000, l.real.orders, l.simulated.orders, l.real.others)
	}
	b.WriteString("\nOther programs are all of the machine but the tasks: the server, the load tester, and whatever else runs.\n")
	return b.String(), short
}
