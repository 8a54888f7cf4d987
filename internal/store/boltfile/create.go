package boltfile

import (
	"errors"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"neargate/internal/store/durable"
)

// Create makes an empty bbolt file at path if there is none. It appears whole,
// so that an empty file is always one that has lost its content.
func Create(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	fresh := f.Name()
	defer os.Remove(fresh)
	if err := f.Close(); err != nil {
		return err
	}
	b, err := bolt.Open(fresh, 0o600, nil)
	if err != nil {
		return err
	}
	if err := b.Close(); err != nil {
		return err
	}
	// Two processes at once: whoever comes second takes the first one's file.
	if err := os.Link(fresh, path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return durable.SyncDir(filepath.Dir(path))
}

// Copy writes a copy of the file, as it is now, to path: whole and verified, or
// not at all.
func (f *File) Copy(path string) error {
	fresh := path + ".new"
	err := f.View(func(tx *bolt.Tx) error {
		to, err := os.OpenFile(fresh, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		if _, err = tx.WriteTo(to); err == nil {
			err = to.Sync()
		}
		return errors.Join(err, to.Close())
	})
	if err == nil {
		err = VerifyFile(fresh)
	}
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	return durable.SyncDir(filepath.Dir(path))
}

// VerifyFile is Verify of a file that nobody uses.
func VerifyFile(path string) error {
	f, err := Open(path, bolt.Options{})
	if err != nil {
		return err
	}
	return errors.Join(f.Verify(), f.Close())
}
