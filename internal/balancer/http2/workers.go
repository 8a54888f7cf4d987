package http2

import (
	"sync"
	"time"
)

// reapTime is how long a worker is kept for that nothing is to be done.
const reapTime = 5 * time.Second

// workers are goroutines that serve requests, one after another: a stack that has
// grown to what a request needs is not thrown away with it. The one that was idle
// last goes first, and those that were not needed for reapTime end.
type workers struct {
	all sync.WaitGroup

	mu      sync.Mutex
	idle    []*worker // guarded by mu
	unused  int       // how few were idle at any time since reaping; guarded by mu
	reaping bool      // reap is due; guarded by mu
	closed  bool      // guarded by mu
}

type worker struct{ next chan *clientStream }

// start has a request served.
func (w *workers) start(st *clientStream) {
	var one *worker
	w.mu.Lock()
	if n := len(w.idle) - 1; n >= 0 {
		one, w.idle = w.idle[n], w.idle[:n]
		w.unused = min(w.unused, n)
	}
	w.mu.Unlock()
	if one == nil {
		one = &worker{next: make(chan *clientStream, 1)}
		w.all.Go(func() { w.work(one) })
	}
	one.next <- st
}

func (w *workers) work(one *worker) {
	for st := range one.next {
		st.serve()
		if !w.rest(one) {
			return
		}
	}
}

// rest makes a worker idle. It reports false if none are wanted any more.
func (w *workers) rest(one *worker) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.idle = append(w.idle, one)
	if !w.reaping {
		w.reaping = true
		time.AfterFunc(reapTime, w.reap)
	}
	return true
}

// reap ends the workers that were not needed since the last time.
func (w *workers) reap() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.idle[:w.unused] {
		close(one.next)
	}
	w.idle = w.idle[:copy(w.idle, w.idle[w.unused:])]
	w.unused = len(w.idle)
	if w.reaping = len(w.idle) > 0; w.reaping {
		time.AfterFunc(reapTime, w.reap)
	}
}

// end ends the idle workers, and the others when they have finished, and waits for
// them.
func (w *workers) end() {
	w.mu.Lock()
	w.closed = true
	for _, one := range w.idle {
		close(one.next)
	}
	w.idle, w.unused = nil, 0
	w.mu.Unlock()
	w.all.Wait()
}
