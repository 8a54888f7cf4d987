package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Records are a table's records within a transaction: as they are committed,
// changed by the transaction itself.
type Records[T any] struct {
	t  *Table[T]
	tx *Tx
}

// In returns the table's records within tx.
func (t *Table[T]) In(tx *Tx) Records[T] { return Records[T]{t, tx} }

// Get returns the record at key.
func (r Records[T]) Get(key string) (T, bool) {
	if c, ok := r.tx.find(r.t, key); ok {
		v, _ := c.value.(T)
		return v, !c.deleted
	}
	return r.t.Get(key)
}

// List returns the records whose key begins with prefix, in key order.
func (r Records[T]) List(prefix string) []T {
	var out []T
	for _, key := range r.keys(prefix) {
		if v, ok := r.Get(key); ok {
			out = append(out, v)
		}
	}
	return out
}

// keys returns the keys that begin with prefix, sorted, of deleted records too.
func (r Records[T]) keys(prefix string) []string {
	r.t.db.mu.RLock()
	keys := slices.Clone(r.t.keysLocked(prefix))
	r.t.db.mu.RUnlock()
	for _, layer := range []changes{r.tx.batch, r.tx.own} {
		for key := range layer[r.t] {
			if strings.HasPrefix(key, prefix) {
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Put writes the record at key, whatever was there. A record that cannot be
// encoded fails the transaction.
func (r Records[T]) Put(key string, v T) {
	data, err := json.Marshal(record[T]{r.t.version, v})
	if err != nil && r.tx.err == nil {
		r.tx.err = fmt.Errorf("encode %s %q: %w", r.t.bucket, key, err)
	}
	r.tx.own.set(r.t, key, change{value: v, data: data})
}

// Delete removes the record at key and reports whether there was one.
func (r Records[T]) Delete(key string) bool {
	_, exists := r.Get(key)
	if exists {
		r.tx.own.set(r.t, key, change{deleted: true})
	}
	return exists
}
