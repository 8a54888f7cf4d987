package store

import (
	"errors"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"neargate/internal/store/durable"
)

var errStop = errors.New("enough")

// view reads the file.
func (db *DB) view(fn func(tx *bolt.Tx) error) error {
	return guard(db.path, func() error { return db.bolt.View(fn) })
}

// copyTo writes a copy of the file as it is now, whole or not at all. A copy
// that would be damaged is not made.
func (db *DB) copyTo(path string) error {
	fresh := path + ".new"
	err := db.view(func(tx *bolt.Tx) error {
		f, err := os.OpenFile(fresh, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		if _, err = tx.WriteTo(f); err == nil {
			err = f.Sync()
		}
		return errors.Join(err, f.Close())
	})
	if err == nil {
		err = verifyFile(fresh)
	}
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	return durable.SyncDir(filepath.Dir(path))
}

// verifyFile reports whether a state file that nobody uses is whole.
func verifyFile(path string) error {
	b, err := openFile(path)
	if err != nil {
		return err
	}
	return b.Close()
}
