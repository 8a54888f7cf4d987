package balancer

import (
	"context"
	"sync"
)

// changes carries the target groups whose targets have changed to
// Config.OnTargetChange. Several changes of one group may come as one.
type changes struct {
	mu   sync.Mutex
	arns map[string]struct{} // guarded by mu
	wake chan struct{}       // size 1
}

func newChanges() *changes {
	return &changes{arns: map[string]struct{}{}, wake: make(chan struct{}, 1)}
}

// add notes a change. It never blocks and may be called with locks held.
func (c *changes) add(arn string) {
	c.mu.Lock()
	c.arns[arn] = struct{}{}
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run tells of changes until ctx ends.
func (c *changes) run(ctx context.Context, tell func(arn string)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		}
		c.mu.Lock()
		arns := c.arns
		c.arns = map[string]struct{}{}
		c.mu.Unlock()
		for arn := range arns {
			tell(arn)
		}
	}
}
