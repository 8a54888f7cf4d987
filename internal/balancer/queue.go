package balancer

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// queue holds the requests of a target group that found all targets at their
// limit, or none while the first task is on its way, first come first served. Its
// length is bounded by the clients' connections, as each waits with at most one
// request, and while there is no target by routing.MostStandby.
type queue struct {
	length atomic.Int64 // of waiting; read without the lock

	mu      sync.Mutex
	waiting list.List // of *waiter; guarded by mu
}

// waiter is one request in the queue.
type waiter struct {
	turn chan *target // size 1; a claimed target, or nil when none is registered
}

// errCrowded is of a request that may not wait, as too many do.
var errCrowded = errors.New("the queue is full")

// wait queues until a target is free and returns it, claimed. It returns nil
// when no target is registered and none is on its way, errCrowded when most wait
// already, and ctx's cause when that ends first.
func (g *group) wait(ctx context.Context, most int) (*target, error) {
	w := &waiter{turn: make(chan *target, 1)}
	q := &g.queue
	q.mu.Lock()
	if q.waiting.Len() >= most {
		q.mu.Unlock()
		return nil, errCrowded
	}
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

// dispatch hands free places to those that wait, or sends them away when there is no
// target and none is on its way.
func (g *group) dispatch() {
	for again := true; again && g.queue.length.Load() > 0; {
		unready := g.serving.Load().unready
		if unready && g.awaits() {
			return
		}
		again = g.hand(unready)
	}
}

// hand is dispatch for a group that is unready or not; again reports that it is now,
// but was not.
func (g *group) hand(unready bool) (again bool) {
	q := &g.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	for first := q.waiting.Front(); first != nil; first = q.waiting.Front() {
		t, got := g.claim(nil, false)
		if got == noneThere && !unready {
			return true
		}
		if got == allFull {
			return false
		}
		q.waiting.Remove(first).(*waiter).turn <- t
		q.length.Add(-1)
	}
	return false
}
