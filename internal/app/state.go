package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"neargate/internal/store"
)

// stateFile keeps all records, in the data directory.
const stateFile = "state.db"

// openState opens the state, or creates it at the first start. A data directory
// that has an access key has had a state: when it is gone the start is refused,
// as a server without it would end all tasks.
func openState(cfg Config) (*store.DB, error) {
	path := filepath.Join(cfg.Data, stateFile)
	if missing(path) && !missing(filepath.Join(cfg.Data, keysFile)) {
		return nil, &store.Damaged{Path: path, Err: errors.New("the file is missing, though the directory has been used")}
	}
	return schema(cfg.Place).Open(path)
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// The state is copied when it has changed: soon after the start, then now and
// then. Copying 33 MB, the state of 500 services with 5,000 task definitions,
// takes a quarter of a second.
const (
	copyFirst = time.Minute
	copyEvery = 5 * time.Minute
)

// keepCopies copies the state until ctx ends, and once more then.
func (p *parts) keepCopies(ctx context.Context) error {
	if p.cfg.Ephemeral {
		return nil
	}
	timer := time.NewTimer(copyFirst)
	defer timer.Stop()
	for done := false; !done; {
		select {
		case <-ctx.Done():
			done = true
		case <-timer.C:
			timer.Reset(copyEvery)
		}
		if err := p.db.KeepCopy(); err != nil {
			p.log.Warn("the state has no copy of today", "error", err)
		}
	}
	return nil
}

// RepairState makes a good state file of a damaged one and its copy. No server
// may be running on the data directory.
func RepairState(cfg Config) (store.Repaired, error) {
	return schema(cfg.Place).Repair(filepath.Join(cfg.Data, stateFile))
}
