package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// Table is a set of records of one type, by key. It is safe for concurrent
// use.
type Table[T any] struct {
	db      *DB
	bucket  []byte
	version int

	// Guarded by db.mu.
	records map[string]T
	keys    []string // sorted
}

// record is what stands in the file.
type record[T any] struct {
	V     int `json:"v"` // the version of the table
	Value T   `json:"value"`
}

// NewTable opens the named table and reads it whole. A name must be used with
// one type only. Errors: *Damaged.
func NewTable[T any](db *DB, name string) (*Table[T], error) {
	spec, err := db.schema.spec(name)
	if err != nil {
		return nil, err
	}
	t := &Table[T]{db: db, bucket: db.schema.bucket(spec), version: spec.version(), records: map[string]T{}}
	err = db.file.View(func(tx *bolt.Tx) error {
		b := tx.Bucket(t.bucket)
		if b == nil { // nothing has been written to it
			return nil
		}
		return b.ForEach(t.read)
	})
	if err != nil {
		return nil, fmt.Errorf("read table %s: %w", name, err)
	}
	return t, nil
}

// read takes in one record of the file; they come in the order of their keys.
func (t *Table[T]) read(k, v []byte) error {
	var r record[T]
	d := json.NewDecoder(bytes.NewReader(v))
	if t.db.schema.Strict {
		d.DisallowUnknownFields()
	}
	err := d.Decode(&r)
	if err == nil && r.V != t.version {
		err = fmt.Errorf("version %d, want %d", r.V, t.version)
	}
	if err != nil {
		return &Damaged{Path: t.db.path, Err: fmt.Errorf("record %q: %w", k, err)}
	}
	t.records[string(k)] = r.Value
	t.keys = append(t.keys, string(k))
	return nil
}

// Get returns the record at key.
func (t *Table[T]) Get(key string) (T, bool) {
	t.db.mu.RLock()
	defer t.db.mu.RUnlock()
	v, ok := t.records[key]
	return v, ok
}

// List returns the records whose key begins with prefix, in key order.
func (t *Table[T]) List(prefix string) []T {
	t.db.mu.RLock()
	defer t.db.mu.RUnlock()
	var out []T
	for _, key := range t.keysLocked(prefix) {
		out = append(out, t.records[key])
	}
	return out
}

// keysLocked returns the keys that begin with prefix.
func (t *Table[T]) keysLocked(prefix string) []string {
	i, _ := slices.BinarySearch(t.keys, prefix)
	end := i
	for end < len(t.keys) && strings.HasPrefix(t.keys[end], prefix) {
		end++
	}
	return t.keys[i:end]
}

// Len returns the number of records.
func (t *Table[T]) Len() int {
	t.db.mu.RLock()
	defer t.db.mu.RUnlock()
	return len(t.keys)
}

// Update is a transaction that reads the record at key and lets change make
// the new one. exists is false and cur the zero value when there is none. An
// error of change leaves the table as it was and is returned unwrapped. What
// DB.Update demands of a function holds for change.
func (t *Table[T]) Update(ctx context.Context, key string, change func(cur T, exists bool) (T, error)) (T, error) {
	var next T
	err := t.db.Update(ctx, func(tx *Tx) error {
		cur, exists := t.In(tx).Get(key)
		var err error
		if next, err = change(cur, exists); err != nil {
			return err
		}
		t.In(tx).Put(key, next)
		return nil
	})
	if err != nil {
		var zero T
		return zero, err
	}
	return next, nil
}

// Put is a transaction that writes the record at key, whatever was there.
func (t *Table[T]) Put(ctx context.Context, key string, v T) error {
	return t.db.Update(ctx, func(tx *Tx) error {
		t.In(tx).Put(key, v)
		return nil
	})
}

// Delete is a transaction that removes the record at key; ok reports whether
// there was one.
func (t *Table[T]) Delete(ctx context.Context, key string) (ok bool, err error) {
	err = t.db.Update(ctx, func(tx *Tx) error {
		ok = t.In(tx).Delete(key)
		return nil
	})
	return ok && err == nil, err
}

func (t *Table[T]) bucketName() []byte { return t.bucket }

func (t *Table[T]) applyLocked(key string, c change) {
	i, found := slices.BinarySearch(t.keys, key)
	switch {
	case c.deleted && found:
		delete(t.records, key)
		t.keys = slices.Delete(t.keys, i, i+1)
	case c.deleted:
	case !found:
		t.keys = slices.Insert(t.keys, i, key)
		t.records[key], _ = c.value.(T)
	default:
		t.records[key], _ = c.value.(T)
	}
}
