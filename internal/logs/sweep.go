package logs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"neargate/internal/model"
)

// segmentFile is a segment as the file system knows it.
type segmentFile struct {
	stream  Stream
	path    string
	size    int64
	written time.Time
}

// sweep removes the segments that retention or the total bound makes too old.
// A file's time says when its last event came, so no file has to be read.
func (l *Logs) sweep() error {
	files, err := l.segmentFiles()
	if err != nil {
		return err
	}
	slices.SortFunc(files, func(a, b segmentFile) int { return a.written.Compare(b.written) })
	var total int64
	for _, f := range files {
		total += f.size
	}
	removed := map[Stream]int64{}
	for _, f := range files {
		cutoff, bounded := l.cutoff(f.stream.Group)
		// An event may be ahead of its file by maxAhead.
		expired := bounded && f.written.Add(maxAhead).Before(cutoff)
		if !expired && total <= l.cfg.MaxTotalBytes {
			continue
		}
		if err := l.dropFile(f); err != nil {
			return err
		}
		total -= f.size
		if !expired {
			removed[f.stream] += f.size
		}
	}
	for s, bytes := range removed {
		if err := l.note(s, removedNote(bytes, fmt.Sprintf("as all streams together hold %d MiB at most", l.cfg.MaxTotalBytes>>20))); err != nil {
			return err
		}
	}
	return l.measure()
}

// measure notes how much each stream holds.
func (l *Logs) measure() error {
	files, err := l.segmentFiles()
	if err != nil {
		return err
	}
	sizes := map[string]int64{}
	for _, f := range files {
		sizes[f.stream.ID] += f.size
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sizes = sizes
	return nil
}

// note adds an event of our own to a stream, unless that was deleted meanwhile.
func (l *Logs) note(s Stream, message string) error {
	now := l.now().UnixMilli()
	err := l.write(s.Group, s.Name, []event{{position: position{ms: now}, ingested: now, message: message}})
	if model.KindOf(err) == model.NotFound {
		return nil
	}
	return err
}

func (l *Logs) dropFile(f segmentFile) error {
	l.mu.Lock()
	j := l.opened[f.stream.ID]
	l.mu.Unlock()
	if j != nil {
		return j.dropSegment(f.path)
	}
	err := os.Remove(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted with its stream meanwhile
	}
	return err
}

func (l *Logs) segmentFiles() ([]segmentFile, error) {
	var out []segmentFile
	for _, s := range l.streams.List("") {
		dir := filepath.Join(l.cfg.Dir, s.ID)
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue // nothing written yet
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			st, err := e.Info()
			if err != nil {
				continue // removed meanwhile
			}
			out = append(out, segmentFile{s, filepath.Join(dir, e.Name()), st.Size(), st.ModTime()})
		}
	}
	slices.SortFunc(out, func(a, b segmentFile) int { return cmp.Compare(a.path, b.path) })
	return out, nil
}

// cutoff returns the time before which events of a group are expired, if any are.
func (l *Logs) cutoff(group string) (time.Time, bool) {
	g, ok := l.groups.Get(group)
	if !ok || g.RetentionDays == 0 {
		return time.Time{}, false
	}
	return l.now().Add(-time.Duration(g.RetentionDays) * retentionDayFor), true
}

// StoredBytes says how much a group holds on disk, as last counted.
func (l *Logs) StoredBytes(group string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var total int64
	for _, s := range l.streams.List(group + ":") {
		total += l.sizes[s.ID]
	}
	return total
}
