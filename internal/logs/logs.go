// Package logs keeps what containers print: log groups, their streams, and the
// events of each in append-only segment files.
//
// Groups and streams are store records. An event is on its way to disk when
// the call that brought it returns: it survives the death of the process, and
// a torn record at the end of a file is cut off when the file is next opened.
// It is not synced for each event, so the last moments before a power failure
// may be missing. Streams and the whole are bounded: the oldest events go.
//
// A Logs is safe for concurrent use. It knows nothing of tasks.
package logs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/store"
)

// Config is what Logs needs to be told.
type Config struct {
	Dir   string      // where segment files lie
	Place model.Place // for ARNs

	MaxStreamBytes int64 // of one stream; 0: 64 MiB
	MaxTotalBytes  int64 // of all streams; 0: 2 GiB
}

// segmentBytes is when a stream begins a new file: the unit in which old
// events go.
const segmentBytes = 4 << 20

// sweepEvery is how often retention and the total bound are applied.
const sweepEvery = time.Minute

// Logs is an open log store.
type Logs struct {
	cfg     Config
	log     *slog.Logger
	now     func() time.Time // replaced in tests only
	groups  *store.Table[Group]
	streams *store.Table[Stream] // by group:stream

	mu     sync.Mutex
	opened map[string]*journal // by Stream.ID; a stream is opened when first used
	sizes  map[string]int64    // bytes on disk by Stream.ID, as last swept
}

// Open opens or makes the log store under cfg.Dir, and removes the files of
// streams that were being deleted when the last process ended.
func Open(db *store.DB, cfg Config, log *slog.Logger) (*Logs, error) {
	if cfg.Dir == "" || cfg.Place.Account == "" {
		return nil, errors.New("open logs: Dir and Place must be set")
	}
	if cfg.MaxStreamBytes == 0 {
		cfg.MaxStreamBytes = 64 << 20
	}
	if cfg.MaxTotalBytes == 0 {
		cfg.MaxTotalBytes = 2 << 30
	}
	l := &Logs{cfg: cfg, log: log, now: time.Now, opened: map[string]*journal{}, sizes: map[string]int64{}}
	var err error
	if l.groups, err = store.NewTable[Group](db, "log_groups"); err != nil {
		return nil, fmt.Errorf("open logs: %w", err)
	}
	if l.streams, err = store.NewTable[Stream](db, "log_streams"); err != nil {
		return nil, fmt.Errorf("open logs: %w", err)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open logs: %w", err)
	}
	if err := l.dropOrphans(); err != nil {
		return nil, fmt.Errorf("open logs: %w", err)
	}
	return l, nil
}

func (l *Logs) dropOrphans() error {
	known := map[string]bool{}
	for _, s := range l.streams.List("") {
		known[s.ID] = true
	}
	dirs, err := os.ReadDir(l.cfg.Dir)
	if err != nil {
		return err
	}
	for _, d := range dirs {
		if known[d.Name()] {
			continue
		}
		if err := os.RemoveAll(filepath.Join(l.cfg.Dir, d.Name())); err != nil {
			return err
		}
	}
	return nil
}

// journal returns the events of a stream, reading its files if need be.
func (l *Logs) journal(s Stream) (*journal, error) {
	l.mu.Lock()
	j, ok := l.opened[s.ID]
	if !ok {
		// A stream is taken out of the table before it is ended.
		if cur, _ := l.streams.Get(s.Group + ":" + s.Name); cur.ID != s.ID {
			l.mu.Unlock()
			return nil, errGone
		}
		j = &journal{dir: filepath.Join(l.cfg.Dir, s.ID), log: l.log}
		l.opened[s.ID] = j
	}
	l.mu.Unlock()
	if err := j.load(); err != nil {
		return nil, fmt.Errorf("open log stream %s of %s: %w", s.Name, s.Group, err)
	}
	return j, nil
}

// Run applies retention and the bound on the whole until ctx ends.
func (l *Logs) Run(ctx context.Context) error {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := l.sweep(); err != nil {
			l.log.Error("remove old log events", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
