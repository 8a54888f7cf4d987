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
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"neargate/internal/store/durable"
)

// DB is an open state file. It is safe for concurrent use.
type DB struct {
	path   string
	bolt   *file
	schema Schema

	// turn is held by the goroutine that runs the waiting transactions and
	// commits them. A channel rather than a mutex: a commit takes a while, and
	// a caller that waits for one can give up.
	turn chan struct{}

	waitMu  sync.Mutex
	waiting []*call // in the order they came

	// mu guards the records of all tables, so that a transaction appears in
	// all of them at once. It is never held across I/O.
	mu sync.RWMutex

	// Owned by whoever holds turn.
	failed error // why nothing is written any more
}

// ErrLocked reports that another process has the state file open.
var ErrLocked = errors.New("state is in use by another process")

// Open opens or creates a state file of any tables.
func Open(path string) (*DB, error) { return Schema{}.Open(path) }

// Open opens the state file at path, or creates it with its directory. Records
// of older versions are migrated in one transaction, after the file has been
// copied to PATH.before-FORMAT. Errors: ErrLocked, ErrNewer, ErrElsewhere, *Damaged.
func (s Schema) Open(path string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	b, err := openFile(path)
	if err != nil {
		return nil, err
	}
	db := &DB{path: path, bolt: b, schema: s, turn: make(chan struct{}, 1)}
	if err := db.migrate(); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), b.Close())
	}
	return db, nil
}

// create makes an empty state file if there is none. It appears whole, so that
// an empty file is always one that has lost its content.
func create(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	fresh := path + ".new"
	if err := os.RemoveAll(fresh); err != nil { // of a start that was killed
		return err
	}
	b, err := bolt.Open(fresh, 0o600, &bolt.Options{Timeout: lockWait})
	if err != nil {
		return err
	}
	if err := b.Close(); err != nil {
		return err
	}
	// Two starts at once: whoever comes second takes the first one's file.
	if err := os.Link(fresh, path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return errors.Join(os.Remove(fresh), durable.SyncDir(filepath.Dir(path)))
}

const lockWait = time.Second

// file is an open bbolt file.
type file struct {
	*bolt.DB
	f *os.File
}

// openFile opens a bbolt file that is there, and looks whether it is whole.
func openFile(path string) (*file, error) {
	if info, err := os.Stat(path); err == nil && info.Size() == 0 {
		return nil, &Damaged{Path: path, Err: errors.New("the file is empty")}
	}
	b := &file{}
	err := guard(path, func() (err error) {
		b.DB, err = bolt.Open(path, 0o600, &bolt.Options{
			Timeout: lockWait, FreelistType: bolt.FreelistMapType,
			OpenFile: func(name string, flag int, perm os.FileMode) (*os.File, error) {
				b.f, err = os.OpenFile(name, flag, perm)
				return b.f, err
			},
		})
		return err
	})
	if err == nil {
		return b.verified()
	}
	if _, ok := errors.AsType[*Damaged](err); ok {
		return nil, errors.Join(err, b.abandon())
	}
	if _, ok := errors.AsType[syscall.Errno](err); ok {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("open %s: %w", path, ErrLocked)
	}
	return nil, &Damaged{Path: path, Err: err} // what bbolt finds wrong with the content
}

// verified returns the file if it is whole.
func (b *file) verified() (*file, error) {
	if err := verify(b.DB); err != nil {
		return nil, errors.Join(err, b.abandon())
	}
	return b, nil
}

// abandon gives up a file in whose code bbolt has panicked: it may wait for
// itself if it were told to close. Its memory map, and with it the lock, would
// outlive the descriptor.
func (b *file) abandon() error {
	return errors.Join(syscall.Flock(int(b.f.Fd()), syscall.LOCK_UN), b.f.Close())
}

// Close waits for writes under way and closes the file.
func (db *DB) Close() error {
	db.turn <- struct{}{} // for good
	if _, ok := errors.AsType[*Damaged](db.failed); ok {
		return db.bolt.abandon()
	}
	return db.bolt.Close()
}
