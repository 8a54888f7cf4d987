package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"neargate/test/vm/plan"
)

// frames writes what a guest would.
func frames(t *testing.T, list ...plan.Frame) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	for _, f := range list {
		if err := json.NewEncoder(&b).Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	return &b
}

func TestReportTellsHowTheMachineEnded(t *testing.T) {
	exit := func(code int) *int { return &code }
	line := func(s string) plan.Frame { return plan.Frame{Step: "p", Output: s + "\n"} }
	pass := []plan.Frame{line(marker + "=== RUN   TestA"), line(marker + "--- PASS: TestA (0.00s)"), line(marker + "PASS")}
	for _, row := range []struct {
		name   string
		frames []plan.Frame
		err    string // "" for none
		last   string // what becomes of the package
	}{
		{"all passed", append(pass, plan.Frame{Step: "p", Exit: exit(0)}, plan.Frame{Done: true}), "", "pass"},
		{"failed after PASS", append(pass, plan.Frame{Step: "p", Exit: exit(1)}, plan.Frame{Done: true}), errFailed.Error(), "fail"},
		{"panic of the kernel", pass, "ended before", "fail"},
		{"guest failed", append(pass, plan.Frame{Error: "no disk"}), "no disk", "fail"},
		{"only said to be done", []plan.Frame{{Done: true}}, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			err := report(t.Context(), frames(t, row.frames...), &out)
			if (row.err == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), row.err)) {
				t.Errorf("report: %v, want %q", err, row.err)
			}
			if row.name == "failed after PASS" && !errors.Is(err, errFailed) {
				t.Errorf("report: %v, want errFailed", err)
			}
			type event struct{ Action, Test string }
			var last event
			for dec := json.NewDecoder(&out); dec.More(); {
				last = event{}
				if err := dec.Decode(&last); err != nil {
					t.Fatal(err)
				}
			}
			if last.Action != row.last || last.Test != "" {
				t.Errorf("the last event is %+v, want %q of the package", last, row.last)
			}
		})
	}
}
