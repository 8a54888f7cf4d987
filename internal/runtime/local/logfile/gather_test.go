package logfile

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

// The expectations are those of moby's daemon/logger/awslogs for the same lines.
func TestGather(t *testing.T) {
	start := time.Unix(1000, 0)
	lines := func(texts ...string) (out []model.LogLine) {
		for _, text := range texts {
			out = append(out, model.LogLine{At: start, Message: text})
		}
		return out
	}
	long, loss := strings.Repeat("x", lineLimit-10), lossPrefix+"3 lines (1 KiB) of output were lost here: x"
	for _, row := range []struct {
		name  string
		in    []model.LogLine
		after time.Duration
		ended bool
		want  []string
		taken int
	}{
		{"nothing", nil, 0, true, nil, 0},
		{"one that may grow", lines("A 1", " 2"), 0, false, nil, 0},
		{"one that is old enough", lines("A 1", " 2"), time.Second, false, []string{"A 1\n 2\n"}, 2},
		{"one of a container that has ended", lines("A 1", " 2"), 0, true, []string{"A 1\n 2\n"}, 2},
		{"two, of which one is whole", lines("A 1", " 2", "A 3"), 0, false, []string{"A 1\n 2\n"}, 2},
		{"lines before the first", lines("x", "y", "A 1"), 0, true, []string{"x\ny\n", "A 1\n"}, 3},
		{"empty lines", lines("A 1", "", "A 2"), 0, true, []string{"A 1\n\n", "A 2\n"}, 3},
		{"too long", lines("A 1", long, " 3 more"), 0, true, []string{"A 1\n" + long + "\n", " 3 more\n"}, 3},
		{"a loss between", lines("A 1", loss, " 2", "A 3"), 0, true, []string{"A 1\n", loss, " 2\n", "A 3\n"}, 4},
		{"a loss at the end", lines("A 1", loss), 0, false, []string{"A 1\n", loss}, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			events, taken := Gather(row.in, regexp.MustCompile("^A"), start.Add(row.after), row.ended)
			var got []string
			for _, e := range events {
				got = append(got, e.Message)
			}
			if diff := cmp.Diff(row.want, got); diff != "" || taken != row.taken {
				t.Errorf("took %d lines, want %d; events %s", taken, row.taken, diff)
			}
		})
	}
}

// TestLinesHeldBackComeAgain: what is not committed is read again, with what has
// come meanwhile, and a reader's whole batch without an end is one event.
func TestLinesHeldBackComeAgain(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(dir, Buffer{}, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	begins := regexp.MustCompile("^A")
	var got []string
	step := func(text string, ended bool) {
		t.Helper()
		if err := w.CopyErrors(strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		for {
			lines, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			events, taken := Gather(lines, begins, clock(), ended)
			for _, e := range events {
				if got = append(got, e.Message); !e.Stderr {
					t.Errorf("%q is not from standard error", e.Message)
				}
			}
			if err := r.CommitFirst(taken); err != nil {
				t.Fatal(err)
			}
			if taken == 0 {
				return
			}
		}
	}
	step("A 1\n", false)
	step(" 2\nA 3\n", false)
	step(" 4\n", false)
	step("", true)
	if diff := cmp.Diff([]string{"A 1\n 2\n", "A 3\n 4\n"}, got); diff != "" {
		t.Error(diff)
	}
	got = nil
	step(strings.Repeat("\n", readBytes/recordBytes*2), true)
	if n := len(strings.Join(got, "")); n != readBytes/recordBytes*2 {
		t.Errorf("%d of %d empty lines came", n, readBytes/recordBytes*2)
	}
}
