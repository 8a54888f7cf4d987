package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
)

// Tx is a transaction under way. It is used through Table.In, only within the
// function that got it and only by that function's goroutine.
type Tx struct {
	own   changes // made in this transaction
	batch changes // made by those before it that share its commit
	err   error   // the first record that could not be encoded
}

// changes are records written or deleted but not yet committed, by table and key.
type changes map[table]map[string]change

type change struct {
	value   any    // of the table's type
	data    []byte // its encoding
	deleted bool
}

// table is a Table of any type.
type table interface {
	// bucketName returns the name of the table's bucket in the file.
	bucketName() []byte
	// applyLocked takes a committed change into memory; DB.mu is held.
	applyLocked(key string, c change)
}

func (c changes) set(t table, key string, ch change) {
	if c[t] == nil {
		c[t] = map[string]change{}
	}
	c[t][key] = ch
}

// find returns the newest change of a record that is not yet committed.
func (tx *Tx) find(t table, key string) (change, bool) {
	if c, ok := tx.own[t][key]; ok {
		return c, true
	}
	c, ok := tx.batch[t][key]
	return c, ok
}

// call is a caller of Update that waits.
type call struct {
	fn       func(*Tx) error
	done     chan struct{} // closed when err and panicked stand
	err      error
	panicked any
}

var errAborted = errors.New("a transaction that shared its commit did not return")

// Update runs fn as a transaction. What fn changes through tx is on disk, all
// of it, when Update returns nil; else none of it is, and no reader ever sees
// a part. An error of fn is returned as it is. Transactions are run one at a
// time, so what fn reads through tx holds until the commit; fn must be quick,
// must not call Update, and must not wait for a lock that is held anywhere
// while Update is called. fn may run in another goroutine than the caller's.
// When ctx ends before fn has begun, nothing happens and its cause is returned.
func (db *DB) Update(ctx context.Context, fn func(tx *Tx) error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	c := &call{fn: fn, done: make(chan struct{})}
	db.waitMu.Lock()
	db.waiting = append(db.waiting, c)
	db.waitMu.Unlock()
	select {
	case db.turn <- struct{}{}:
		db.lead() // c is among those that wait, or is done
	case <-c.done:
	case <-ctx.Done():
		if db.withdraw(c) {
			return context.Cause(ctx)
		}
	}
	<-c.done
	if c.panicked != nil {
		panic(c.panicked)
	}
	return c.err
}

// withdraw takes back a call that nobody has begun to run.
func (db *DB) withdraw(c *call) bool {
	db.waitMu.Lock()
	defer db.waitMu.Unlock()
	for i, w := range db.waiting {
		if w == c {
			db.waiting = append(db.waiting[:i], db.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// lead runs all calls that wait, commits what they changed, and gives the turn
// back. While it commits, the next ones gather.
func (db *DB) lead() {
	db.waitMu.Lock()
	calls := db.waiting
	db.waiting = nil
	db.waitMu.Unlock()
	err := errAborted // in case a function ends this goroutine
	defer func() {
		for _, c := range calls {
			if err != nil {
				c.err = err
			}
			close(c.done)
		}
		<-db.turn
	}()
	batch := changes{}
	for _, c := range calls {
		tx := &Tx{own: changes{}, batch: batch}
		if c.err = c.run(tx); c.err != nil {
			continue
		}
		for t, records := range tx.own {
			if batch[t] == nil {
				batch[t] = map[string]change{}
			}
			maps.Copy(batch[t], records)
		}
	}
	// A call that failed or changed nothing has seen what those before it
	// changed: if that is not kept, its own answer would not be true either.
	if err = db.commit(batch); err == nil {
		db.apply(batch)
	}
}

// run runs the call's function, and keeps a panic for the goroutine that it
// belongs to.
func (c *call) run(tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.panicked, err = p, fmt.Errorf("transaction panicked: %v", p)
		}
	}()
	if err := c.fn(tx); err != nil {
		return err
	}
	return tx.err
}

// apply lets readers see a commit.
func (db *DB) apply(batch changes) {
	if len(batch) == 0 {
		return
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	for t, records := range batch {
		for key, c := range records {
			t.applyLocked(key, c)
		}
	}
}
