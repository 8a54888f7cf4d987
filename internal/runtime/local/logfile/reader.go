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
	"strings"
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
	batch   []byte // the records that Next returned last; none: all are committed
	ends    []int  // of them in batch, one for each line
	noted   bool   // a line of our own came before them

	seen   count // up to the position
	missed count // between the position and the segment being read
}

// count counts records of a log since its start.
type count struct {
	known        bool
	lines, bytes int64
}

func (c count) plus(records []byte) count {
	c.lines += int64(bytes.Count(records, []byte{'\n'}))
	c.bytes += int64(len(records))
	return c
}

// Open reads the position; a log never read before is read from its start.
// The directory need not exist yet.
func Open(dir string) (*Reader, error) {
	p, err := readPosition(dir)
	if errors.Is(err, fs.ErrNotExist) {
		p, err = position{count: count{known: true}}, nil
	}
	return &Reader{dir: dir, segment: p.segment, offset: p.offset, seen: p.count}, err
}

// position is where a reader stands.
type position struct {
	segment int
	offset  int64
	count   // of the records before it
}

// readPosition returns what is kept of a reader's position.
func readPosition(dir string) (p position, err error) {
	data, err := os.ReadFile(positionFile(dir))
	if err != nil {
		return p, fmt.Errorf("read log position: %w", err)
	}
	n, _ := fmt.Sscanf(string(data), "%d %d %d %d", &p.segment, &p.offset, &p.lines, &p.bytes)
	if n < 2 {
		p.segment, p.offset = 0, 0 // cut short by a crash: better doubled than lost
	}
	p.known = n == 4
	return p, nil
}

func positionFile(dir string) string { return filepath.Join(dir, "position") }

// Next returns the lines after the position, none when there is nothing new; it
// returns them again until Commit. Where output was dropped unread, a line of
// our own says how much.
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
			var lines []model.LogLine
			r.batch = buf[:end]
			lines, r.ends = parse(r.batch)
			return r.withLoss(lines), nil
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

// ended reports whether the segment, read up to size, will not grow: the writer
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
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the writer has just dropped it: the next look finds another
	}
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	r.file, r.batch, r.ends = f, nil, nil
	if r.offset == 0 {
		return r.readHeader()
	}
	return nil
}

// readHeader reads how much was written before the segment, and so what was
// dropped unread.
func (r *Reader) readHeader() error {
	buf := make([]byte, headerBytes)
	n, err := r.file.ReadAt(buf, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read log: %w", err)
	}
	if n > 0 && buf[0] != '=' { // of a writer that wrote none
		r.seen.known = false
		return nil
	}
	line, _, whole := bytes.Cut(buf[:n], []byte{'\n'})
	if !whole { // the writer is about to write it
		r.Close()
		return nil
	}
	before := count{known: true}
	if _, err := fmt.Sscanf(string(line), "= %d %d", &before.lines, &before.bytes); err != nil {
		return fmt.Errorf("read log: header %q of segment %d: %w", line, r.segment, err)
	}
	r.missed = count{}
	if r.seen.known {
		r.missed = count{known: true, lines: before.lines - r.seen.lines, bytes: before.bytes - r.seen.bytes}
	}
	r.seen = before
	r.offset = int64(len(line)) + 1
	return nil
}

// headerBytes is more than any header has.
const headerBytes = 64

// lossPrefix begins the line of our own.
const lossPrefix = "neargate: "

// IsLoss reports whether a line tells what was dropped.
func IsLoss(message string) bool {
	return strings.HasPrefix(message, lossPrefix) && strings.Contains(message, " of output were lost here: ")
}

// withLoss puts a line in front of others that tells what was dropped between
// them and the ones before.
func (r *Reader) withLoss(lines []model.LogLine) []model.LogLine {
	if r.noted = r.missed.lines > 0 && len(lines) > 0; !r.noted {
		return lines
	}
	note := fmt.Sprintf(lossPrefix+"%d lines (%d KiB) of output were lost here: they came faster than they were taken, or while no server ran (log option max-buffer-size; mode blocking loses none)",
		r.missed.lines, (r.missed.bytes+1023)>>10)
	return append([]model.LogLine{{At: lines[0].At, Message: note}}, lines...)
}

// advance removes the segment that has been read and goes to the next.
func (r *Reader) advance() error {
	_ = r.file.Close()
	done := name(r.dir, r.segment)
	r.file, r.offset, r.batch, r.ends = nil, 0, nil, nil
	r.segment++
	if err := r.save(); err != nil {
		return err
	}
	if err := os.Remove(done); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove log segment: %w", err)
	}
	return nil
}

// Commit notes that all that Next returned has arrived.
func (r *Reader) Commit() error { return r.commit(len(r.batch)) }

// CommitFirst notes that the first n lines of those that Next returned have
// arrived: Next returns the others again.
func (r *Reader) CommitFirst(n int) error {
	if r.noted {
		n--
	}
	switch {
	case n <= 0:
		return nil // a note alone comes again
	case n >= len(r.ends):
		return r.Commit()
	}
	return r.commit(r.ends[n-1])
}

// commit moves the position on by n bytes of the batch.
func (r *Reader) commit(n int) error {
	if n == 0 {
		return nil
	}
	r.seen = r.seen.plus(r.batch[:n])
	r.offset += int64(n)
	r.batch, r.ends, r.missed = nil, nil, count{}
	return r.save()
}

func (r *Reader) save() error {
	tmp := positionFile(r.dir) + ".tmp"
	if err := os.WriteFile(tmp, r.position(), 0o600); err != nil {
		return fmt.Errorf("save log position: %w", err)
	}
	if err := os.Rename(tmp, positionFile(r.dir)); err != nil {
		return fmt.Errorf("save log position: %w", err)
	}
	return nil
}

func (r *Reader) position() []byte {
	if !r.seen.known {
		return fmt.Appendf(nil, "%d %d\n", r.segment, r.offset)
	}
	return fmt.Appendf(nil, "%d %d %d %d\n", r.segment, r.offset, r.seen.lines, r.seen.bytes)
}

// Close closes the log; the position stays.
func (r *Reader) Close() {
	if r.file != nil {
		_ = r.file.Close()
		r.file = nil
	}
}

// parse returns the lines of records, and where each of them ends.
func parse(records []byte) (lines []model.LogLine, ends []int) {
	for begin := 0; begin < len(records); {
		line, _, _ := bytes.Cut(records[begin:], []byte{'\n'})
		begin += len(line) + 1
		at, message, ok := bytes.Cut(line, []byte{' '})
		at, stderr := bytes.CutSuffix(at, []byte{stderrMark})
		ns, err := strconv.ParseInt(string(at), 10, 64)
		if !ok || err != nil {
			continue // a record cut short by a crash
		}
		lines = append(lines, model.LogLine{At: time.Unix(0, ns), Message: string(message), Stderr: stderr})
		ends = append(ends, begin)
	}
	return lines, ends
}
