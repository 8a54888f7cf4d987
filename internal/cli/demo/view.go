package demo

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"neargate/internal/cli/report"
)

// view shows a run while it goes: on a terminal a block of figures that stays
// at the bottom, below the lines that say what happened; elsewhere plain lines.
// One goroutine uses it.
type view struct {
	out      io.Writer
	terminal bool
	width    int
	length   time.Duration // what the progress bar counts to
	block    []string      // the lines now at the bottom
}

// plainEvery is how often figures come as a plain line, in seconds.
const plainEvery = 5

func newView(out io.Writer, terminal bool, width int) *view {
	if width < 40 {
		width = 80
	}
	return &view{out: out, terminal: terminal, width: width}
}

// step reports that one step of the preparation is done.
func (v *view) step(name, said string, took time.Duration) {
	v.line(fmt.Sprintf("%-14s %s (%.1f s)", name, said, took.Seconds()))
}

// begin starts the figures; length is the most that the run may take.
func (v *view) begin(length time.Duration) {
	v.length = length
	if !v.terminal {
		v.line("")
	}
}

// mark says what happened.
func (v *view) mark(m report.Mark) {
	text := m.Text
	if m.Detail != "" {
		text += " " + m.Detail
	}
	v.line(fmt.Sprintf("%7.1f s  %-8s %s", m.At.Seconds(), m.Kind, text))
}

// update shows the newest second.
func (v *view) update(s report.Second, t *tally, at time.Duration) {
	requests, failures, _, _, _ := t.totals()
	if !v.terminal {
		if int(s.At/time.Second)%plainEvery == 0 {
			v.line(fmt.Sprintf("%7.1f s  %2d users  %3d requests/s  p50 %s  p99 %s  errors %d  CPU %s  tasks %d desired, %d running, %d draining",
				at.Seconds(), s.Users, s.Requests, rounded(s.P50), rounded(s.P99), failures, percent(s.CPU), s.Desired, s.Running, s.Draining))
		}
		return
	}
	v.redraw([]string{
		"",
		"  " + v.bar(at) + fmt.Sprintf("  %.0f s", at.Seconds()),
		fmt.Sprintf("  users %-4d requests/s %-5d p50 %-9s p99 %-9s requests %-7d errors %d",
			s.Users, s.Requests, rounded(s.P50), rounded(s.P99), requests, failures),
		fmt.Sprintf("  service CPU %-6s tasks: %d desired, %d running, %d draining  %s",
			percent(s.CPU), s.Desired, s.Running, s.Draining, strings.Repeat("■", s.Running)+strings.Repeat("□", max(s.Desired-s.Running, 0))),
	})
}

func (v *view) bar(at time.Duration) string {
	cells := max(v.width-14, 10)
	full := int(math.Round(float64(cells) * min(at.Seconds()/v.length.Seconds(), 1)))
	return strings.Repeat("█", full) + strings.Repeat("░", cells-full)
}

func percent(p float64) string {
	if math.IsNaN(p) {
		return "-"
	}
	return fmt.Sprintf("%.0f %%", p)
}

// summary prints the figures of the whole run.
func (v *view) summary(run report.Run) {
	v.redraw(nil)
	v.line("")
	for _, p := range run.Summary {
		v.line(fmt.Sprintf("  %-44s %s", p.Name, p.Value))
	}
	v.line("")
	v.line("  " + run.Verdict)
	v.line("")
}

// close removes the block.
func (v *view) close() { v.redraw(nil) }

// line prints a line above the block.
func (v *view) line(s string) {
	block := v.block
	v.redraw(nil)
	fmt.Fprintln(v.out, s)
	v.redraw(block)
}

// redraw puts lines in the place of the block. Lines are cut to the terminal's
// width, as a wrapped one would make the next redraw miss.
func (v *view) redraw(lines []string) {
	if len(v.block) > 0 {
		fmt.Fprintf(v.out, "\x1b[%dA\x1b[J", len(v.block))
	}
	v.block = lines
	for _, l := range lines {
		if r := []rune(l); len(r) >= v.width {
			l = string(r[:v.width-1])
		}
		fmt.Fprintln(v.out, l)
	}
}
