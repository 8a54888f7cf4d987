// Package store keeps the server's state: typed tables of records in one bbolt
// file, with compare-and-set by transaction and watches.
//
// Every table is held in memory as well, so reads take a read lock and no I/O.
// A write returns when it is on disk; writers of one moment share a commit.
// Records are JSON with a format version in front of each table.
//
// The values handed out are shared: readers must not write into them.
//
// Store is the ground the other hands stand on: it imports only the standard
// library and bbolt, and knows none of the nouns it keeps.
package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// DB is an open state file. It is safe for concurrent use.
type DB struct {
	bolt *bolt.DB
}

// ErrLocked says that another process has the state file open.
var ErrLocked = errors.New("state is in use by another process")

// Open opens or makes the state file at path, with its directory.
func Open(path string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	b, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second, FreelistType: bolt.FreelistMapType})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("open %s: %w", path, ErrLocked)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// The wait for company in a commit: long enough for writers of one
	// moment to meet, short against the 1 ms that the sync itself takes.
	b.MaxBatchDelay = time.Millisecond
	return &DB{bolt: b}, nil
}

// Close waits for writes under way and closes the file.
func (db *DB) Close() error { return db.bolt.Close() }
