package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"neargate/internal/model"
)

// readBytes is how much of a log one call of Next looks at. It exceeds the
// longest record.
const readBytes = 512 << 10

// Reader follows a log from a position that it keeps on disk beside the
// segments. It belongs to one goroutine.
type Reader struct {
	dir     string
	segment int   // the one being read; 0: none yet
	offset  int64 // of the next record in it
	file    *os.File
	// next is the position after what Next gave last.
	next int64
}

// Open reads the position; a log never read before is read from its start.
// The directory need not exist yet.
func Open(dir string) (*Reader, error) {
	r := &Reader{dir: dir}
	data, err := os.ReadFile(r.positionFile())
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read log position: %w", err)
	}
	if _, err := fmt.Sscanf(string(data), "%d %d", &r.segment, &r.offset); err != nil {
		r.segment, r.offset = 0, 0 // cut short by a crash: better doubled than lost
	}
	return r, nil
}

func (r *Reader) positionFile() string { return filepath.Join(r.dir, "position") }

// Next gives the lines after the position, none when there is nothing new.
// They are given again until Commit.
func (r *Reader) Next() ([]model.LogLine, error) {
	for {
		if err := r.open(); err != nil || r.file == nil {
			return nil, err
		}
		st, err := r.file.Stat()
		if err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		buf := make([]byte, min(readBytes, max(0, st.Size()-r.offset)))
		n, err := r.file.ReadAt(buf, r.offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read log: %w", err)
		}
		if end := bytes.LastIndexByte(buf[:n], '\n') + 1; end > 0 {
			r.next = r.offset + int64(end)
			return parse(buf[:end]), nil
		}
		// Nothing whole here: go on only if the writer went on, too.
		if ended, err := r.ended(r.offset + int64(n)); err != nil || !ended {
			return nil, err
		}
		if err := r.advance(); err != nil {
			return nil, err
		}
	}
}

// ended says whether the segment, read up to size, will not grow: the writer
// has begun the next one or dropped this one.
func (r *Reader) ended(size int64) (bool, error) {
	_, err := os.Stat(name(r.dir, r.segment+1))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read log: %w", err)
	}
	next := err == nil
	st, err := r.file.Stat()
	if err != nil {
		return false, fmt.Errorf("read log: %w", err)
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok && sys.Nlink == 0 {
		next = true
	}
	return next && st.Size() == size, nil // else it wrote between our read and its next segment
}

// open makes r.file the segment at the position, or the oldest one left.
func (r *Reader) open() error {
	if r.file != nil {
		return nil
	}
	segments, err := list(r.dir)
	if errors.Is(err, fs.ErrNotExist) || len(segments) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if r.segment < segments[0] {
		r.segment, r.offset = segments[0], 0
	}
	f, err := os.Open(name(r.dir, r.segment))
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	r.file, r.next = f, r.offset
	return nil
}

// advance removes the segment that has been read and goes to the next.
func (r *Reader) advance() error {
	_ = r.file.Close()
	done := name(r.dir, r.segment)
	r.file, r.offset, r.next = nil, 0, 0
	r.segment++
	if err := r.save(); err != nil {
		return err
	}
	if err := os.Remove(done); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove log segment: %w", err)
	}
	return nil
}

// Commit says that what Next gave has arrived.
func (r *Reader) Commit() error {
	if r.next == r.offset {
		return nil
	}
	r.offset = r.next
	return r.save()
}

func (r *Reader) save() error {
	tmp := r.positionFile() + ".tmp"
	if err := os.WriteFile(tmp, fmt.Appendf(nil, "%d %d\n", r.segment, r.offset), 0o600); err != nil {
		return fmt.Errorf("save log position: %w", err)
	}
	if err := os.Rename(tmp, r.positionFile()); err != nil {
		return fmt.Errorf("save log position: %w", err)
	}
	return nil
}

// Close closes the log; the position stays.
func (r *Reader) Close() {
	if r.file != nil {
		_ = r.file.Close()
		r.file = nil
	}
}

func parse(records []byte) []model.LogLine {
	var out []model.LogLine
	for len(records) > 0 {
		var line []byte
		line, records, _ = bytes.Cut(records, []byte{'\n'})
		at, message, ok := bytes.Cut(line, []byte{' '})
		ns, err := strconv.ParseInt(string(at), 10, 64)
		if !ok || err != nil {
			continue // a record cut short by a crash
		}
		out = append(out, model.LogLine{At: time.Unix(0, ns), Message: string(message)})
	}
	return out
}
