package store

import (
	"bytes"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// errSame ends a commit that would write what the file has already.
var errSame = errors.New("nothing changes")

// commit writes a batch to the file, all or nothing. A batch that leaves every
// record as it is causes no I/O.
func (db *DB) commit(batch changes) error {
	if len(batch) == 0 {
		return nil
	}
	if db.failed != nil {
		return db.failed
	}
	before := db.lastCommit()
	err := db.file.Update(batch.write)
	if err == nil || errors.Is(err, errSame) {
		return nil
	}
	if d, ok := errors.AsType[*Damaged](err); ok {
		db.failed = d
	} else if db.lastCommit() != before {
		// The header reached the file, but not surely the disk: what was
		// refused may be there after the next start. Nothing may build on it.
		db.failed = fmt.Errorf("a write could not be confirmed; start the server again: %w", err)
	}
	return fmt.Errorf("write state: %w", err)
}

// lastCommit returns the number of the newest commit in the file.
func (db *DB) lastCommit() (id int) {
	_ = db.file.View(func(tx *bolt.Tx) error {
		id = tx.ID()
		return nil
	})
	return id
}

// write brings all changes to the file.
func (c changes) write(tx *bolt.Tx) error {
	written := false
	for t, records := range c {
		b, err := tx.CreateBucketIfNotExists(t.bucketName())
		if err != nil {
			return err
		}
		for key, c := range records {
			wrote, err := write(b, []byte(key), c)
			if err != nil {
				return fmt.Errorf("%s %q: %w", t.bucketName(), key, err)
			}
			written = written || wrote
		}
	}
	if !written {
		return errSame
	}
	return nil
}

// write brings one record into its bucket; wrote is false when it is there.
func write(b *bolt.Bucket, key []byte, c change) (wrote bool, err error) {
	old := b.Get(key)
	switch {
	case c.deleted && old == nil, !c.deleted && bytes.Equal(old, c.data):
		return false, nil
	case c.deleted:
		return true, b.Delete(key)
	}
	return true, b.Put(key, c.data)
}
