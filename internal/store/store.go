// Package store keeps the server's state: typed tables of records in one bbolt
// file, changed by transactions over any number of tables.
//
// Every table is held in memory as well, so reads take a read lock and no I/O.
// A transaction returns when it is on disk, and only then do readers see it,
// whole; transactions of one moment share a commit. Records are JSON with a
// version.
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
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// DB is an open state file. It is safe for concurrent use.
type DB struct {
	bolt *bolt.DB

	// turn is held by the goroutine that runs the waiting transactions and
	// commits them. A channel rather than a mutex: a commit takes a while, and
	// a caller that waits for one can give up.
	turn chan struct{}

	waitMu  sync.Mutex
	waiting []*call // in the order they came

	// mu guards the records of all tables, so that a transaction appears in
	// all of them at once. It is never held across I/O.
	mu sync.RWMutex
}

// ErrLocked reports that another process has the state file open.
var ErrLocked = errors.New("state is in use by another process")

// Open opens or creates the state file at path, with its directory.
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
	return &DB{bolt: b, turn: make(chan struct{}, 1)}, nil
}

// Close waits for writes under way and closes the file.
func (db *DB) Close() error { return db.bolt.Close() }
