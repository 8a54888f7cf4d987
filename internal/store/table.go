package store

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"

	bolt "go.etcd.io/bbolt"
)

// Table is a set of records of one type, by key. It is safe for concurrent
// use; writes to one key are serialised, writes to several share a commit.
type Table[T any] struct {
	db     *DB
	bucket []byte

	seed maphash.Seed
	// write is claimed by a hash of the key while its record is read, changed
	// and committed. Channels rather than mutexes: a commit takes a while, and
	// who waits for one can give up.
	write [64]chan struct{}

	mu       sync.RWMutex
	records  map[string]T
	keys     []string // sorted
	watchers map[*watcher[T]]struct{}
}

// Change is one committed write. Deleted records come with their last value.
type Change[T any] struct {
	Key     string
	Value   T
	Deleted bool
}

type watcher[T any] struct {
	pending []Change[T] // guarded by Table.mu; unbounded, as a watcher must miss nothing
	wake    chan struct{}
}

// formatVersion stands before each record; a change of encoding raises it.
const formatVersion = 1

type record[T any] struct {
	V     int `json:"v"`
	Value T   `json:"value"`
}

// NewTable opens the named table and reads it whole. A name must be used with
// one type only.
func NewTable[T any](db *DB, name string) (*Table[T], error) {
	t := &Table[T]{db: db, bucket: []byte(name), seed: maphash.MakeSeed(), records: map[string]T{}, watchers: map[*watcher[T]]struct{}{}}
	for i := range t.write {
		t.write[i] = make(chan struct{}, 1)
	}
	err := db.bolt.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(t.bucket)
		if err != nil {
			return err
		}
		return b.ForEach(func(k, v []byte) error {
			var r record[T]
			if err := json.Unmarshal(v, &r); err != nil {
				return fmt.Errorf("record %q: %w", k, err)
			}
			if r.V != formatVersion {
				return fmt.Errorf("record %q has format %d, this version reads %d", k, r.V, formatVersion)
			}
			t.records[string(k)] = r.Value
			t.keys = append(t.keys, string(k)) // bbolt iterates in key order
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read table %s: %w", name, err)
	}
	return t, nil
}

// Get gives the record at key.
func (t *Table[T]) Get(key string) (T, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	v, ok := t.records[key]
	return v, ok
}

// List gives the records whose key begins with prefix, in key order.
func (t *Table[T]) List(prefix string) []T {
	t.mu.RLock()
	defer t.mu.RUnlock()
	i, _ := slices.BinarySearch(t.keys, prefix)
	var out []T
	for ; i < len(t.keys) && strings.HasPrefix(t.keys[i], prefix); i++ {
		out = append(out, t.records[t.keys[i]])
	}
	return out
}

// Len gives the number of records.
func (t *Table[T]) Len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.keys)
}

// Update reads the record at key, lets change make the new one, and commits
// it. exists is false and cur the zero value when there is none. An error from
// change leaves the table as it was and is returned unwrapped. No other write
// to the key happens between the read and the commit. change must not write to
// the table itself.
func (t *Table[T]) Update(ctx context.Context, key string, change func(cur T, exists bool) (T, error)) (T, error) {
	var zero T
	release, err := t.claim(ctx, key)
	if err != nil {
		return zero, err
	}
	defer release()
	cur, exists := t.Get(key)
	next, err := change(cur, exists)
	if err != nil {
		return zero, err
	}
	data, err := json.Marshal(record[T]{formatVersion, next})
	if err != nil {
		return zero, fmt.Errorf("encode %s %q: %w", t.bucket, key, err)
	}
	err = t.db.bolt.Batch(func(tx *bolt.Tx) error { return tx.Bucket(t.bucket).Put([]byte(key), data) })
	if err != nil {
		return zero, fmt.Errorf("write %s %q: %w", t.bucket, key, err)
	}
	t.commit(Change[T]{Key: key, Value: next})
	return next, nil
}

// Put writes the record at key, whatever was there.
func (t *Table[T]) Put(ctx context.Context, key string, v T) error {
	_, err := t.Update(ctx, key, func(T, bool) (T, error) { return v, nil })
	return err
}

// Delete removes the record at key; ok says whether there was one.
func (t *Table[T]) Delete(ctx context.Context, key string) (ok bool, err error) {
	release, err := t.claim(ctx, key)
	if err != nil {
		return false, err
	}
	defer release()
	cur, exists := t.Get(key)
	if !exists {
		return false, nil
	}
	err = t.db.bolt.Batch(func(tx *bolt.Tx) error { return tx.Bucket(t.bucket).Delete([]byte(key)) })
	if err != nil {
		return false, fmt.Errorf("delete %s %q: %w", t.bucket, key, err)
	}
	t.commit(Change[T]{Key: key, Value: cur, Deleted: true})
	return true, nil
}

// claim waits until nobody else writes the key, or ctx ends.
func (t *Table[T]) claim(ctx context.Context, key string) (release func(), err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	lock := t.write[maphash.String(t.seed, key)%uint64(len(t.write))]
	select {
	case lock <- struct{}{}:
		return func() { <-lock }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (t *Table[T]) commit(c Change[T]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, found := slices.BinarySearch(t.keys, c.Key)
	switch {
	case c.Deleted:
		delete(t.records, c.Key)
		t.keys = slices.Delete(t.keys, i, i+1)
	case !found:
		t.keys = slices.Insert(t.keys, i, c.Key)
		fallthrough
	default:
		t.records[c.Key] = c.Value
	}
	for w := range t.watchers {
		w.pending = append(w.pending, c)
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// Watch calls fn with every change committed after Watch was called, in order,
// until ctx ends; it returns ctx's cause. fn may call the table.
func (t *Table[T]) Watch(ctx context.Context, fn func(Change[T])) error {
	w := &watcher[T]{wake: make(chan struct{}, 1)}
	t.mu.Lock()
	t.watchers[w] = struct{}{}
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		delete(t.watchers, w)
		t.mu.Unlock()
	}()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-w.wake:
		}
		t.mu.Lock()
		changes := w.pending
		w.pending = nil
		t.mu.Unlock()
		for _, c := range changes {
			fn(c)
		}
	}
}
