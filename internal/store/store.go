// Package store keeps the server's state: typed tables of records in one bbolt
// file, changed by transactions over any number of tables.
//
// Every table is held in memory as well, so reads take a read lock and no I/O.
// A transaction returns when it is on disk, and only then do readers see it,
// whole; transactions of one moment share a commit. Records are JSON with the
// version of their table, older ones are migrated when the file is opened. A
// damaged file is an error of type Damaged, never a panic; Keep copies the file
// now and then, and Repair makes a good one of a damaged one and its copy.
//
// The values handed out are shared: readers must not write into them.
//
// Store is the ground the other hands stand on: it imports only the standard
// library and bbolt, and knows none of the nouns it keeps. docs/state.md shows
// the format.
package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	bolt "go.etcd.io/bbolt"

	"neargate/internal/store/boltfile"
)

// DB is an open state file. It is safe for concurrent use.
type DB struct {
	path   string
	file   *boltfile.File
	schema Schema

	// turn is held by the goroutine that runs the waiting transactions and
	// commits them. A channel rather than a mutex: a commit takes a while, and
	// a caller that waits for one can give up.
	turn    chan struct{}
	closing sync.Once

	waitMu  sync.Mutex
	waiting []*call // in the order they came

	// mu guards the records of all tables, so that a transaction appears in
	// all of them at once. It is never held across I/O.
	mu sync.RWMutex

	// Owned by whoever holds turn.
	failed error // why nothing is written any more

	copyMu sync.Mutex
	copied int // guarded by copyMu; the commit that the copy was made after
}

// Damaged is the error of a file that cannot be read as what it should be.
type Damaged = boltfile.Damaged //nolint:errname // it reads as store.Damaged

// ErrLocked reports that another process has the state file open.
var ErrLocked = boltfile.ErrLocked

// Open opens or creates a state file of any tables.
func Open(path string) (*DB, error) { return Schema{}.Open(path) }

// Open opens the state file at path, or creates it with its directory. Records
// of older versions are migrated in one transaction, after the file has been
// copied to PATH.before-FORMAT. Errors: ErrLocked, ErrNewer, ErrElsewhere, *Damaged.
func (s Schema) Open(path string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	if err := boltfile.Create(path); err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	file, err := boltfile.Open(path, bolt.Options{FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	db := &DB{path: path, file: file, schema: s, turn: make(chan struct{}, 1)}
	if err = file.Verify(); err == nil {
		err = db.migrate()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open state: %w", err), file.Close())
	}
	return db, nil
}

// Close waits for writes under way and closes the file. A second call does
// nothing.
func (db *DB) Close() (err error) {
	db.closing.Do(func() {
		db.turn <- struct{}{} // for good
		err = db.file.Close()
	})
	return err
}
