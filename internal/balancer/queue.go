package balancer

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
)

// queue holds the requests of a target group that found all targets at their
// limit, first come first served. Its length is bounded by the clients'
// connections: each waits with at most one request.
type queue struct {
	length atomic.Int64 // of waiting; read without the lock

	mu      sync.Mutex
	waiting list.List // of *waiter; guarded by mu
}

// waiter is one request in the queue.
type waiter struct {
	turn chan *target // size 1; a claimed target, or nil when none is registered
}

// wait queues until a target is free and returns it, claimed. It returns nil
// when no target is registered any more, and ctx's cause when that ends first.
func (g *group) wait(ctx context.Context) (*target, error) {
	w := &waiter{turn: make(chan *target, 1)}
	q := &g.queue
	q.mu.Lock()
	place := q.waiting.PushBack(w)
	q.length.Add(1)
	q.mu.Unlock()
	g.dispatch() // a place may have come free after we looked and before we queued
	select {
	case t := <-w.turn:
		return t, nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	q.waiting.Remove(place) // does nothing if it was our turn at the same moment
	q.mu.Unlock()
	select {
	case t := <-w.turn:
		if t != nil {
			t.release()
		}
	default:
		q.length.Add(-1)
	}
	return nil, context.Cause(ctx)
}

// dispatch hands free places to those that wait.
func (g *group) dispatch() {
	q := &g.queue
	if q.length.Load() == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for first := q.waiting.Front(); first != nil; first = q.waiting.Front() {
		t, got := g.claim(nil)
		if got == allFull {
			return
		}
		q.waiting.Remove(first).(*waiter).turn <- t
		q.length.Add(-1)
	}
}
