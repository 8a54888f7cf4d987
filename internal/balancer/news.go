package balancer

import (
	"context"
	"sync"
)

// news carries the target groups whose targets have changed to
// Config.OnTargetChange. Several changes of one group may come as one.
type news struct {
	mu   sync.Mutex
	arns map[string]struct{} // guarded by mu
	wake chan struct{}       // size 1
}

func newNews() *news {
	return &news{arns: map[string]struct{}{}, wake: make(chan struct{}, 1)}
}

// changed notes a change. It never blocks and may be called with locks held.
func (n *news) changed(arn string) {
	n.mu.Lock()
	n.arns[arn] = struct{}{}
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// run tells of changes until ctx ends.
func (n *news) run(ctx context.Context, tell func(arn string)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		}
		n.mu.Lock()
		arns := n.arns
		n.arns = map[string]struct{}{}
		n.mu.Unlock()
		for arn := range arns {
			tell(arn)
		}
	}
}
