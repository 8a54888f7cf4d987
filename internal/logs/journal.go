package logs

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// blockBytes is how much of a file one entry of the index covers.
const blockBytes = 64 << 10

// segmentSuffix ends the name of a segment file; before it stands its number.
const segmentSuffix = ".log"

// errGone says that the stream was deleted.
var errGone = errors.New("the log stream was deleted")

// journal is the events of one stream, in segment files. The index of its
// blocks is in memory; the events are not.
type journal struct {
	dir string
	log *slog.Logger

	mu       sync.RWMutex
	loaded   bool
	gone     bool
	segments []*segment // oldest first; the last one grows
	next     uint64     // number of the next event
	count    int64
	first    int64 // ms, of the earliest event; valid when count > 0
	last     int64 // ms, of the latest
	ingested int64 // ms, when the last came in
}

// segment is one file.
type segment struct {
	number int
	path   string
	size   int64
	blocks []block
}

// block is a run of records in one file.
type block struct {
	path     string
	at, size int64
	min, max position
}

// load reads the files of a stream once, and cuts off a torn end.
func (j *journal) load() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.gone {
		return errGone
	}
	if j.loaded {
		return nil
	}
	j.segments, j.next, j.count = nil, 0, 0
	files, err := os.ReadDir(j.dir) // by name, which is by number
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for i, f := range files {
		number, err := strconv.Atoi(strings.TrimSuffix(f.Name(), segmentSuffix))
		if err != nil {
			return fmt.Errorf("%s is not a segment", filepath.Join(j.dir, f.Name()))
		}
		if err := j.loadSegmentLocked(number, i == len(files)-1); err != nil {
			return err
		}
	}
	j.loaded = true
	return nil
}

func (j *journal) loadSegmentLocked(number int, last bool) error {
	s := j.segment(number)
	data, err := os.ReadFile(s.path)
	if err != nil {
		return err
	}
	for int(s.size) < len(data) {
		e, n, err := readRecord(data[s.size:])
		if err != nil {
			j.log.Warn("cut off damaged log events", "file", s.path, "at", s.size, "bytes", int64(len(data))-s.size)
			if last { // only what is written next could follow it
				if err := os.Truncate(s.path, s.size); err != nil {
					return err
				}
			}
			break
		}
		j.indexLocked(s, e, int64(n))
	}
	j.segments = append(j.segments, s)
	return nil
}

func (j *journal) segment(number int) *segment {
	return &segment{number: number, path: filepath.Join(j.dir, fmt.Sprintf("%08d%s", number, segmentSuffix))}
}

// indexLocked takes note of an event of n bytes at the end of s.
func (j *journal) indexLocked(s *segment, e event, n int64) {
	if k := len(s.blocks); k == 0 || s.blocks[k-1].size+n > blockBytes {
		s.blocks = append(s.blocks, block{path: s.path, at: s.size, min: e.position, max: e.position})
	}
	b := &s.blocks[len(s.blocks)-1]
	b.size += n
	if e.compare(b.min) < 0 {
		b.min = e.position
	}
	if e.compare(b.max) > 0 {
		b.max = e.position
	}
	s.size += n
	if j.count == 0 {
		j.first, j.last = e.ms, e.ms
	}
	j.first, j.last = min(j.first, e.ms), max(j.last, e.ms)
	j.count++
	j.next = max(j.next, e.seq+1)
	j.ingested = max(j.ingested, e.ingested)
}

// append writes events, numbering them, and removes the oldest beyond maxBytes,
// which it notes in the stream. All are written or none.
func (j *journal) append(events []event, maxBytes int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.gone {
		return errGone
	}
	if err := j.writeLocked(events); err != nil {
		return err
	}
	removed, err := j.boundLocked(maxBytes)
	if removed > 0 {
		last := events[len(events)-1]
		note := event{position: position{ms: last.ms}, ingested: last.ingested, message: removedNote(removed, fmt.Sprintf("which holds %d MiB at most", maxBytes>>20))}
		err = errors.Join(err, j.writeLocked([]event{note}))
	}
	return err
}

// removedNote is the event that tells of older ones that are gone.
func removedNote(bytes int64, limit string) string {
	return fmt.Sprintf("neargate: %d KiB of older events were removed from this stream, %s", (bytes+1023)>>10, limit)
}

func (j *journal) writeLocked(events []event) error {
	var buf []byte
	ends := make([]int64, len(events))
	for i := range events {
		events[i].seq = j.next + uint64(i)
		buf = appendRecord(buf, events[i])
		ends[i] = int64(len(buf))
	}
	s, err := j.currentLocked()
	if err != nil {
		return err
	}
	if err := s.write(buf); err != nil {
		return err
	}
	var from int64
	for i, e := range events {
		j.indexLocked(s, e, ends[i]-from)
		from = ends[i]
	}
	return nil
}

// currentLocked returns the segment to write to.
func (j *journal) currentLocked() (*segment, error) {
	number := 1
	if n := len(j.segments); n > 0 {
		if j.segments[n-1].size < segmentBytes {
			return j.segments[n-1], nil
		}
		number = j.segments[n-1].number + 1
	} else if err := os.MkdirAll(j.dir, 0o700); err != nil {
		return nil, err
	}
	s := j.segment(number)
	j.segments = append(j.segments, s)
	return s, nil
}

// write adds to the file in one call, and takes back what a failed one left.
func (s *segment) write(buf []byte) error {
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	n, err := f.Write(buf)
	if err != nil && n > 0 {
		err = errors.Join(err, f.Truncate(s.size))
	}
	return errors.Join(err, f.Close())
}

// boundLocked removes the oldest segments while there is too much, and returns
// how much it removed.
func (j *journal) boundLocked(maxBytes int64) (removed int64, err error) {
	var total int64
	for _, s := range j.segments {
		total += s.size
	}
	for len(j.segments) > 1 && total > maxBytes {
		size := j.segments[0].size
		if err := j.dropLocked(0); err != nil {
			return removed, err
		}
		total, removed = total-size, removed+size
	}
	return removed, nil
}

func (j *journal) dropLocked(i int) error {
	s := j.segments[i]
	j.segments = append(j.segments[:i:i], j.segments[i+1:]...)
	return os.Remove(s.path)
}

// dropSegment removes a segment that is old.
func (j *journal) dropSegment(path string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, s := range j.segments {
		if s.path == path {
			return j.dropLocked(i)
		}
	}
	if j.loaded || j.gone {
		return nil // somebody else was faster
	}
	return os.Remove(path)
}

// end makes every further call fail: the stream is deleted.
func (j *journal) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.gone, j.segments = true, nil
}

// blocks returns the index as it is now.
func (j *journal) blocks() []block {
	j.mu.RLock()
	defer j.mu.RUnlock()
	var out []block
	for _, s := range j.segments {
		out = append(out, s.blocks...)
	}
	return out
}
