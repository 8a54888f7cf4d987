package certificates

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// Run follows the files, and issues and renews what is due, until ctx ends, and
// returns its cause.
func (c *Certificates) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.follow(ctx) })
	group.Go(func() error { return c.renew(ctx) })
	return group.Wait()
}

// lookEvery is how often certificates are looked through for those that are due.
const lookEvery = 10 * time.Second

// renew issues what is due, until ctx ends.
func (c *Certificates) renew(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		c.issueDue(ctx)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		case <-c.woken:
		}
	}
}

// wake has the certificates looked through at once.
func (c *Certificates) wake() {
	select {
	case c.woken <- struct{}{}:
	default: // it is about to be done
	}
}
