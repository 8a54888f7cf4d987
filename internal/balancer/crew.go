package balancer

import (
	"context"
	"sync"
)

// crew runs goroutines that end with one context, and waits for them. Unlike a
// bare WaitGroup it may be asked for more while it is waited for: it declines.
type crew struct {
	begin func() (context.Context, context.CancelFunc)

	mu     sync.Mutex
	closed bool // guarded by mu
	wg     sync.WaitGroup
}

func newCrew(ctx context.Context) *crew {
	return &crew{begin: func() (context.Context, context.CancelFunc) { return context.WithCancel(ctx) }}
}

// spawn runs f in a goroutine until f ends, cancel is called or the crew's
// context ends.
func (c *crew) spawn(f func(context.Context)) (cancel func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return func() {}
	}
	ctx, cancel := c.begin()
	c.wg.Go(func() {
		defer cancel()
		f(ctx)
	})
	return cancel
}

// wait declines more and waits for what runs.
func (c *crew) wait() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.wg.Wait()
}
