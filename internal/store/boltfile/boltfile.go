// Package boltfile opens bbolt files that may be damaged. bbolt panics when a
// page is not what it expects, and the processor faults where one is missing;
// here both are errors of type Damaged.
package boltfile

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Damaged is the error of a file that cannot be read as what it should be.
type Damaged struct { //nolint:errname // it reads as store.Damaged
	Path string
	Err  error
}

// Error names the file and what is wrong with it.
func (d *Damaged) Error() string { return fmt.Sprintf("%s is damaged: %v", d.Path, d.Err) }

// Unwrap returns what is wrong.
func (d *Damaged) Unwrap() error { return d.Err }

// ErrLocked reports that another process has the file open.
var ErrLocked = errors.New("state is in use by another process")

// lockWait is how long Open waits for another process to let go of the file.
const lockWait = time.Second

// File is an open bbolt file. It is safe for concurrent use.
type File struct {
	path string
	bolt *bolt.DB
	fd   *os.File
	// broken is set when bbolt has panicked. It may hold its locks for ever.
	broken atomic.Bool
}

// Open opens a bbolt file that is there, after it has read all of it: bbolt
// looks for free pages in a goroutine of its own, where a panic ends the process.
// Errors: ErrLocked, *Damaged.
func Open(path string, opts bolt.Options) (*File, error) {
	reader, err := open(path, bolt.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(reader.walk(), reader.Close()); err != nil {
		return nil, err
	}
	return open(path, opts)
}

// OpenDamaged opens a file that may be damaged for reading what is left of it.
func OpenDamaged(path string) (*File, error) { return open(path, bolt.Options{ReadOnly: true}) }

func open(path string, opts bolt.Options) (*File, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() == 0 {
		return nil, &Damaged{Path: path, Err: errors.New("the file is empty")}
	}
	f := &File{path: path}
	opts.Timeout = lockWait
	opts.OpenFile = func(name string, flag int, perm os.FileMode) (*os.File, error) {
		fd, err := os.OpenFile(name, flag&^os.O_CREATE, perm)
		f.fd = fd
		return fd, err
	}
	err = f.Guard(func() (err error) {
		f.bolt, err = bolt.Open(path, 0o600, &opts)
		return err
	})
	if err == nil {
		return f, nil
	}
	if _, ok := errors.AsType[*Damaged](err); ok {
		return nil, errors.Join(err, f.abandon())
	}
	if _, ok := errors.AsType[syscall.Errno](err); ok {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("open %s: %w", path, ErrLocked)
	}
	return nil, &Damaged{Path: path, Err: err} // what bbolt finds wrong with the content
}

// View reads the file as of one moment.
func (f *File) View(fn func(*bolt.Tx) error) error {
	return f.Guard(func() error { return f.bolt.View(fn) })
}

// Update changes the file, all or nothing.
func (f *File) Update(fn func(*bolt.Tx) error) error {
	return f.Guard(func() error { return f.bolt.Update(fn) })
}

// Begin begins to read the file as of now. The transaction must be rolled back,
// and used within Guard.
func (f *File) Begin() (*bolt.Tx, error) { return f.bolt.Begin(false) }

// Guard runs fn, which reads the file, and makes a Damaged of a panic or fault.
func (f *File) Guard(fn func() error) (err error) {
	if f.broken.Load() {
		return &Damaged{Path: f.path, Err: errors.New("reading it has failed before")}
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			f.broken.Store(true)
			err = &Damaged{Path: f.path, Err: fmt.Errorf("reading it: %v", p)}
		}
	}()
	return fn()
}

// Close waits for transactions under way and closes the file.
func (f *File) Close() error {
	if f.broken.Load() {
		return f.abandon()
	}
	return f.bolt.Close()
}

// abandon gives up a file in whose code bbolt has panicked: it may wait for
// itself if it were told to close. Its memory map, and with it the lock, would
// outlive the descriptor.
func (f *File) abandon() error {
	return errors.Join(syscall.Flock(int(f.fd.Fd()), syscall.LOCK_UN), f.fd.Close())
}
