package balancer

import (
	"context"
	"sync"
)

// spawner runs goroutines and waits for them. Unlike a bare WaitGroup it may be
// asked for more while it is waited for: it declines.
type spawner struct {
	mu     sync.Mutex
	closed bool // guarded by mu
	wg     sync.WaitGroup
}

// spawn runs f in a goroutine with a context that ends when ctx does, or cancel
// is called.
func (c *spawner) spawn(ctx context.Context, f func(context.Context)) (cancel context.CancelFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return func() {}
	}
	ctx, cancel = context.WithCancel(ctx)
	c.wg.Go(func() {
		defer cancel()
		f(ctx)
	})
	return cancel
}

// wait declines more and waits for what runs.
func (c *spawner) wait() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.wg.Wait()
}
