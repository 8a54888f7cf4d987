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
	err := db.bolt.Update(func(tx *bolt.Tx) error {
		written := false
		for t, records := range batch {
			b := tx.Bucket(t.bucketName())
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
	})
	if err != nil && !errors.Is(err, errSame) {
		return fmt.Errorf("write state: %w", err)
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
