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
			w, err := Create(dir, Buffer{}, clock)
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
	w, err := Create(dir, Buffer{}, clock)
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
	w, err := Create(dir, Buffer{}, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var want []string
	line := strings.Repeat("x", 1000)
	for i := range 3 * segmentBytes / 1000 {
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
	chunk := bytes.Repeat([]byte(strings.Repeat("y", 99)+"\n"), segmentBytes/100)
	for i := range segmentsOfDefault + 8 {
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
	if err != nil || len(segments) > segmentsOfDefault {
		t.Fatalf("got %d segments, %v, want at most %d", len(segments), err, segmentsOfDefault)
	}
	var last string
	var notes []string
	got := 0
	for {
		lines, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) == 0 {
			break
		}
		for _, l := range lines {
			if strings.HasPrefix(l.Message, "neargate: ") {
				notes = append(notes, l.Message)
			} else {
				got++
			}
		}
		last = lines[len(lines)-1].Message
		if err := r.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if last != "last" {
		t.Errorf("got last line %q", last)
	}
	lost := 0
	for _, n := range notes {
		var lines, kib int
		if _, err := fmt.Sscanf(n, "neargate: %d lines (%d KiB) of output were lost here:", &lines, &kib); err != nil {
			t.Errorf("note %q: %v", n, err)
		}
		lost += lines
	}
	written := (segmentsOfDefault+8)*(segmentBytes/100) + 1
	if len(notes) != 1 || lost == 0 || got+lost != written {
		t.Errorf("got %d lines and %d told as lost in %d notes, want %d in all and one note", got, lost, len(notes), written)
	}
}

// segmentsOfDefault are the segments of the default buffer.
const segmentsOfDefault = DefaultBuffer / segmentBytes

// TestReaderThatNeverReadKnowsWhatItMissed: also before its first line.
func TestReaderThatNeverReadKnowsWhatItMissed(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(dir, Buffer{Bytes: 4000}, clock)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := w.Copy(strings.NewReader(fmt.Sprintln("line", i, strings.Repeat("x", 90)))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	lines := all(t, dir)
	var lost int
	if _, err := fmt.Sscanf(lines[0], "neargate: %d lines", &lost); err != nil || lost+len(lines)-1 != 100 {
		t.Errorf("%d lines after %q, want 100 in all", len(lines)-1, lines[0])
	}
	if len(lines)-1 < 4000/110-10 {
		t.Errorf("%d lines were kept of a buffer of 4000 bytes", len(lines)-1)
	}
}

// TestBlockingWriterLosesNothing: it waits for the reader, until the container
// has ended.
func TestBlockingWriterLosesNothing(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(dir, Buffer{Bytes: 4000, Blocking: true}, clock)
	if err != nil {
		t.Fatal(err)
	}
	in, out := io.Pipe()
	copied := make(chan error, 1)
	go func() { copied <- w.Copy(in) }()
	wrote := make(chan int, 1)
	go func() {
		n := 0
		for ; n < 200; n++ {
			if _, err := fmt.Fprintln(out, "line", n, strings.Repeat("x", 90)); err != nil {
				break
			}
		}
		wrote <- n
		_ = out.Close()
	}()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got []string
	for len(got) < 200 {
		lines, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			got = append(got, l.Message)
		}
		if err := r.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if n := <-wrote; n != 200 || !strings.HasPrefix(got[199], "line 199 ") || !strings.HasPrefix(got[0], "line 0 ") {
		t.Errorf("wrote %d, got %d from %q to %q", n, len(got), got[0], got[len(got)-1])
	}
	if err := <-copied; err != nil {
		t.Error(err)
	}

	// Nobody reads any more, and the container has ended.
	go func() { copied <- w.Copy(strings.NewReader(strings.Repeat(strings.Repeat("y", 99)+"\n", 100))) }()
	w.Unblock()
	if err := <-copied; err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestBrokenPositionStartsOver(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(dir, Buffer{}, clock)
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
