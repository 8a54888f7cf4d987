package logfile

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func clock() time.Time { return time.Unix(100, 7) }

// all reads and commits everything there is.
func all(t *testing.T, dir string) []string {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out []string
	for {
		lines, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) == 0 {
			return out
		}
		for _, l := range lines {
			if !l.At.Equal(clock()) {
				t.Errorf("got time %v, want %v", l.At, clock())
			}
			out = append(out, l.Message)
		}
		if err := r.Commit(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", lineLimit)
	for _, row := range []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"two lines", "a\nb\n", []string{"a", "b"}},
		{"no newline at the end", "a\nb", []string{"a", "b"}},
		{"an empty line", "\na\n", []string{"", "a"}},
		{"a line of the longest kind", long + "\n", []string{long}},
		{"a line too long", long + "yz\n", []string{long, "yz"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			w, err := Create(dir, clock)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Copy(strings.NewReader(row.in)); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, all(t, dir)); diff != "" {
				t.Error(diff)
			}
			if again := all(t, dir); len(again) > 0 {
				t.Errorf("got %d lines again after they were committed", len(again))
			}
		})
	}
}

func TestUncommittedLinesComeAgain(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(dir, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Copy(strings.NewReader("a\n")); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if lines, err := r.Next(); err != nil || len(lines) != 1 {
		t.Fatalf("got %v, %v", lines, err)
	}
	r.Close()
	if diff := cmp.Diff([]string{"a"}, all(t, dir)); diff != "" {
		t.Error(diff)
	}
	if err := w.Copy(strings.NewReader("b\n")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"b"}, all(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestReadSegmentsAreRemoved(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(dir, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var want []string
	line := strings.Repeat("x", 1000)
	for i := range 3 * SegmentBytes / 1000 {
		want = append(want, fmt.Sprint(i, line))
		if err := w.Copy(io.LimitReader(strings.NewReader(want[i]+"\n"), 2000)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, all(t, dir)); diff != "" {
		t.Error(diff)
	}
	if segments, err := list(dir); err != nil || len(segments) != 1 {
		t.Errorf("got segments %v, %v, want one", segments, err)
	}
}

func TestUnreadOutputIsBounded(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(dir, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	chunk := bytes.Repeat([]byte(strings.Repeat("y", 99)+"\n"), SegmentBytes/100)
	for i := range segmentsKept + 8 {
		if err := w.Copy(bytes.NewReader(chunk)); err != nil {
			t.Fatal(err)
		}
		if i == 0 { // a reader that then stays behind
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Copy(strings.NewReader("last\n")); err != nil {
		t.Fatal(err)
	}
	segments, err := list(dir)
	if err != nil || len(segments) > segmentsKept {
		t.Fatalf("got %d segments, %v, want at most %d", len(segments), err, segmentsKept)
	}
	var last string
	for {
		lines, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) == 0 {
			break
		}
		last = lines[len(lines)-1].Message
		if err := r.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if last != "last" {
		t.Errorf("got last line %q", last)
	}
}

func TestBrokenPositionStartsOver(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(dir, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Copy(strings.NewReader("a\n")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/position", []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a"}, all(t, dir)); diff != "" {
		t.Error(diff)
	}
}
