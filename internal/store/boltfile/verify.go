package boltfile

import (
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// walk reads the whole file: no page may be missing, and keys are in order.
func (f *File) walk() error {
	return f.check(func(tx *bolt.Tx) error {
		info, err := f.fd.Stat()
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("the file has %d bytes, of %d", info.Size(), tx.Size())
		}
		return tx.ForEach(func(name []byte, bucket *bolt.Bucket) error {
			if bucket == nil {
				return fmt.Errorf("%q is not a table", name)
			}
			return verifyOrder(bucket)
		})
	})
}

// Verify reports whether each page is either in use or free, beyond what Open
// has looked at: a page that is both would be written over. The error is a
// *Damaged.
func (f *File) Verify() error {
	return f.check(func(tx *bolt.Tx) error {
		stats := tx.Cursor().Bucket().Stats()
		want := stats.BranchPageN + stats.BranchOverflowN + stats.LeafPageN + stats.LeafOverflowN
		used, err := usedPages(tx, int(tx.Size())/f.bolt.Info().PageSize)
		if err == nil && used != want {
			err = fmt.Errorf("%d pages are in use, want %d", used, want)
		}
		return err
	})
}

func (f *File) check(look func(*bolt.Tx) error) error {
	return f.View(func(tx *bolt.Tx) error {
		if err := look(tx); err != nil {
			return &Damaged{Path: f.path, Err: err}
		}
		return nil
	})
}

func verifyOrder(bucket *bolt.Bucket) error {
	var last []byte
	return bucket.ForEach(func(k, _ []byte) error {
		if last != nil && string(k) <= string(last) {
			return errors.New("records are not in order")
		}
		last = k
		return nil
	})
}

// usedPages counts the pages of buckets: those that are not free and neither a
// header nor the list of free pages.
func usedPages(tx *bolt.Tx, pages int) (int, error) {
	const headers = 2
	used := 0
	for id := headers; id < pages; {
		info, err := tx.Page(id)
		switch {
		case err != nil:
			return 0, err
		case info == nil:
			return 0, fmt.Errorf("page %d is missing", id)
		case info.Type == "free":
			id++
			continue
		case info.OverflowCount < 0 || info.OverflowCount >= pages:
			return 0, fmt.Errorf("page %d claims %d pages", id, info.OverflowCount)
		case info.Type != "freelist":
			used += 1 + info.OverflowCount
		}
		id += 1 + info.OverflowCount
	}
	return used, nil
}
