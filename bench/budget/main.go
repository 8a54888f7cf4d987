// Command budget measures what neargate costs before it does anything, against
// the budgets of the design: the build, the binary, the start, and a server
// with nothing to do. Run it as root, on an idle machine:
//
//	go run ./bench/budget
//
// It ends with status 1 when a budget does not hold.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"neargate/bench/rig"
)

// options are the command's flags.
type options struct {
	starts int
	idle   time.Duration
	tests  bool
	out    string
}

func main() {
	var o options
	flag.IntVar(&o.starts, "starts", 5, "starts of the server, each with a fresh data directory")
	flag.DurationVar(&o.idle, "idle", 20*time.Second, "how long the idle server is watched, each time")
	flag.BoolVar(&o.tests, "tests", false, "also take the time of the test suite, which needs minutes")
	flag.StringVar(&o.out, "out", "", "file to write the results to, e.g. bench/budget/RESULTS.md")
	flag.Parse()
	rig.Main("budget", func(ctx context.Context, w io.Writer) error { return run(ctx, o, w) })
}

// line is one budget with what was measured.
type line struct {
	what, have, most string
	met              bool
}

func run(ctx context.Context, o options, w io.Writer) (err error) {
	if o.starts < 1 || o.idle < 15*time.Second {
		return errors.New("-starts must be at least 1, and -idle at least 15s")
	}
	dir, err := os.MkdirTemp("", "neargate-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	average := rig.LoadAverage()
	var lines []line
	for _, part := range []func(context.Context, options, string) ([]line, error){build, start, idle, tests} {
		got, err := part(ctx, o, dir)
		if err != nil {
			return err
		}
		for _, l := range got {
			fmt.Fprintf(w, "%-48s %-28s at most %-16s %s\n", l.what, l.have, l.most, rig.Verdict(l.met))
		}
		lines = append(lines, got...)
	}
	short := slices.ContainsFunc(lines, func(l line) bool { return !l.met })
	return rig.Finish(w, report(lines, average), o.out, short)
}

// binaryIn is where build leaves the binary in the benchmark's directory.
func binaryIn(dir string) string { return filepath.Join(dir, "neargate") }

// report writes the table as Markdown.
func report(lines []line, average string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# What neargate costs before it does anything\n\n`go run ./bench/budget` on %s, %s. Load average before: %s.\n\n",
		time.Now().UTC().Format(time.DateOnly), rig.Machine(), average)
	b.WriteString("| what | measured | budget | |\n|---|---|---|---|\n")
	for _, l := range lines {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", l.what, l.have, l.most, rig.Verdict(l.met))
	}
	return b.String()
}
