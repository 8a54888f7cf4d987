// Package logfile keeps a container's output on disk between the supervisor
// that takes it and the engine that ships it: lines with their time, in numbered
// segments of bounded size and number. The writer and the reader are different
// processes; each file has one writer, and a segment is complete once the next
// exists.
//
// A record is the time in nanoseconds since 1970, an "e" where the line was
// printed to standard error, a space, the line, a newline.
// A segment begins with a header: "=", the records and their bytes that
// were written before it, a newline. By it a reader that stayed behind knows
// what it missed.
package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// segmentBytes is about how large a segment grows, where the buffer has room
// for several.
const segmentBytes = 1 << 20

// DefaultBuffer bounds a container's unshipped output on disk where nothing
// else is said.
const DefaultBuffer = 16 << 20

// fewestSegments are those of the smallest buffer.
const fewestSegments = 4

// waitForReader is how often a writer that waits looks whether the reader has
// gone on.
const waitForReader = 50 * time.Millisecond

// lineLimit is the longest line; a longer one is cut into several. CloudWatch
// Logs takes events of 256 KiB, 26 bytes of them its own.
const lineLimit = 256<<10 - 26

// Buffer bounds the output that was not shipped yet. The zero value holds
// DefaultBuffer and drops the oldest beyond it.
type Buffer struct {
	Bytes int64 // 0: DefaultBuffer
	// Blocking has the writer wait for the reader when the buffer is full, so
	// that nothing is lost: the container stands still as soon as its pipe is
	// full, too.
	Blocking bool
}

// Writer appends records. It is safe for use by several goroutines.
type Writer struct {
	dir      string
	now      func() time.Time
	each     int64 // bytes of a segment
	kept     int   // segments
	unblock  chan struct{}
	released sync.Once

	mu      sync.Mutex // held while the writer waits for the reader
	blocks  bool
	segment int
	file    *os.File
	size    int64
	lines   int64 // written so far
	bytes   int64 // of records, written so far
}

// Create creates the directory and the first segment. Segments that a former
// writer left are kept.
func Create(dir string, buffer Buffer, now func() time.Time) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make log: %w", err)
	}
	if buffer.Bytes == 0 {
		buffer.Bytes = DefaultBuffer
	}
	segments, err := list(dir)
	if err != nil {
		return nil, err
	}
	w := &Writer{dir: dir, now: now, blocks: buffer.Blocking, unblock: make(chan struct{})}
	w.each = max(1, min(segmentBytes, buffer.Bytes/fewestSegments))
	w.kept = int(buffer.Bytes / w.each)
	if len(segments) > 0 {
		w.segment = segments[len(segments)-1]
	}
	if err := w.nextLocked(); err != nil {
		return nil, err
	}
	return w, nil
}

func name(dir string, segment int) string {
	return filepath.Join(dir, fmt.Sprintf("%08d.log", segment))
}

// list returns the numbers of the segments, lowest first.
func list(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list log: %w", err)
	}
	var out []int
	for _, e := range entries {
		if base, ok := strings.CutSuffix(e.Name(), ".log"); ok {
			if n, err := strconv.Atoi(base); err == nil {
				out = append(out, n)
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// nextLocked starts the next segment. Where too much is unread it drops the
// oldest ones, or waits for the reader.
func (w *Writer) nextLocked() error {
	if w.file != nil {
		if err := w.file.Close(); err != nil {
			return fmt.Errorf("end log segment: %w", err)
		}
		w.file = nil
	}
	f, err := os.OpenFile(name(w.dir, w.segment+1), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("begin log segment: %w", err)
	}
	w.file, w.size = f, 0
	w.segment++
	if _, err := fmt.Fprintf(f, "= %d %d\n", w.lines, w.bytes); err != nil {
		return fmt.Errorf("begin log segment: %w", err)
	}
	for {
		segments, err := list(w.dir)
		if err != nil {
			return err
		}
		if len(segments) <= w.kept {
			return nil
		}
		if w.blocks {
			w.awaitReader()
			continue
		}
		for _, old := range segments[:len(segments)-w.kept] {
			_ = os.Remove(name(w.dir, old))
		}
	}
}

// awaitReader waits a moment, or until Unblock.
func (w *Writer) awaitReader() {
	timer := time.NewTimer(waitForReader)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.unblock:
		w.blocks = false
	}
}

// Unblock ends the waiting for the reader: the container has ended, and what
// does not fit is dropped.
func (w *Writer) Unblock() { w.released.Do(func() { close(w.unblock) }) }

// Taken reports whether a reader has committed all that was written.
func (w *Writer) Taken() bool {
	w.mu.Lock()
	written := w.lines
	w.mu.Unlock()
	if written == 0 {
		return true
	}
	p, err := readPosition(w.dir)
	return err == nil && p.known && p.lines >= written
}

// append writes whole records.
func (w *Writer) append(records []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.size >= w.each || w.file == nil {
		if err := w.nextLocked(); err != nil {
			return err
		}
	}
	n, err := w.file.Write(records)
	w.size += int64(n)
	w.lines += int64(bytes.Count(records, []byte{'\n'}))
	w.bytes += int64(len(records))
	return err
}

// stderrMark follows the time of what came from standard error.
const stderrMark = 'e'

// Copy takes lines from r until it ends. What follows the last newline is a
// line, too. A full disk loses output but does not hold the container up.
func (w *Writer) Copy(r io.Reader) error { return w.copy(r, " ") }

// CopyErrors is Copy for standard error.
func (w *Writer) CopyErrors(r io.Reader) error { return w.copy(r, string(stderrMark)+" ") }

// copy writes between the time and each line.
func (w *Writer) copy(r io.Reader, between string) error {
	var failed error
	buf := make([]byte, 0, 8<<10)
	var records []byte
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, min(len(buf), lineLimit))
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		now := w.now()
		records = records[:0]
		rest := buf
		for {
			i := bytes.IndexByte(rest, '\n')
			if i < 0 {
				break
			}
			records = record(records, now, between, rest[:i])
			rest = rest[i+1:]
		}
		for len(rest) > lineLimit {
			records = record(records, now, between, rest[:lineLimit])
			rest = rest[lineLimit:]
		}
		if err != nil && len(rest) > 0 {
			records = record(records, now, between, rest)
			rest = nil
		}
		buf = buf[:copy(buf, rest)]
		if len(records) > 0 {
			if werr := w.append(records); werr != nil && failed == nil {
				failed = werr
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) {
			return failed
		}
		if err != nil {
			return errors.Join(failed, err)
		}
	}
}

func record(to []byte, at time.Time, between string, line []byte) []byte {
	for {
		part := line[:min(len(line), lineLimit)]
		to = strconv.AppendInt(to, at.UnixNano(), 10)
		to = append(append(append(to, between...), part...), '\n')
		if line = line[len(part):]; len(line) == 0 {
			return to
		}
	}
}

// Close ends the current segment.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}
