package connect

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"neargate/internal/model"
)

// endpoint is what tasks of one service or several offer under one name.
type endpoint struct {
	c       *Connect
	arn     string
	offer   atomic.Pointer[offer]
	serving atomic.Pointer[[]*target]
	turn    atomic.Uint64
	traffic traffic

	mu      sync.Mutex
	targets map[model.Target]*target // guarded by mu
	clients map[clientName]*client   // guarded by mu
}

// clientName is a service whose tasks use an endpoint.
type clientName struct{ cluster, service string }

func newEndpoint(c *Connect, arn string) *endpoint {
	e := &endpoint{c: c, arn: arn, targets: map[model.Target]*target{}, clients: map[clientName]*client{}}
	e.serving.Store(new([]*target))
	e.offer.Store(&offer{})
	return e
}

func (e *endpoint) configure(o offer) { e.offer.Store(&o) }

func (e *endpoint) empty() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.targets) == 0
}

// refreshLocked brings serving up to date.
func (e *endpoint) refreshLocked() {
	var serving []*target
	for _, t := range e.targets {
		if !t.closed() {
			serving = append(serving, t)
		}
	}
	slices.SortFunc(serving, func(a, b *target) int { return a.addr.Compare(b.addr) })
	e.serving.Store(&serving)
}

// RegisterTargets lets targets of tasks answer for an endpoint.
func (c *Connect) RegisterTargets(_ context.Context, arn string, targets []model.Target) error {
	e := c.endpoint(arn)
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, at := range targets {
		if t := e.targets[at]; t != nil {
			if t.lost { // what is under way there ends
				e.dropLocked(t)
			} else {
				t.open() // it drained
				continue
			}
		}
		e.targets[at] = newTarget(e, at)
	}
	e.refreshLocked()
	return nil
}

// drainLimit is how long requests may go on at a target that was deregistered.
const drainLimit = 30 * time.Second

// DeregisterTargets sends no more requests to targets. They have left when those
// under way have ended, or 30 s later.
func (c *Connect) DeregisterTargets(_ context.Context, arn string, targets []model.Target) error {
	c.endpoint(arn).leave(targets, func(t *target) {
		t.drainUntil = time.Now().Add(drainLimit)
		t.upstream.CloseIdle()
	})
	return nil
}

// DeregisterLostTargets is DeregisterTargets for targets whose task has ended:
// what is under way there is tried elsewhere, where it may be.
func (c *Connect) DeregisterLostTargets(_ context.Context, arn string, targets []model.Target) error {
	c.endpoint(arn).leave(targets, func(t *target) {
		t.lost, t.drainUntil = true, time.Now()
		t.upstream.Lose()
		t.endStreams()
	})
	return nil
}

func (e *endpoint) leave(targets []model.Target, how func(*target)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, at := range targets {
		t := e.targets[at]
		if t == nil {
			continue
		}
		t.close()
		how(t)
		if t.busy() == 0 {
			e.dropLocked(t)
		}
	}
	e.refreshLocked()
}

// dropLocked forgets a target that has nothing under way.
func (e *endpoint) dropLocked(t *target) {
	if e.targets[t.at] == t {
		delete(e.targets, t.at)
	}
	t.upstream.Close()
	e.c.targetLeft(e.arn)
}

// left drops a target that was deregistered and has now nothing under way.
func (e *endpoint) left(t *target) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.closed() && t.busy() == 0 && e.targets[t.at] == t {
		e.dropLocked(t)
	}
}

// expire cuts what is under way at targets that have drained for too long.
func (e *endpoint) expire(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, t := range e.targets {
		if t.closed() && now.After(t.drainUntil) {
			t.lost = true
			t.upstream.Cut()
			t.endStreams()
		}
	}
}

// TargetHealth returns the targets of an endpoint. Those that are registered are
// healthy: there are no probes.
func (c *Connect) TargetHealth(arn string) ([]model.TargetHealth, error) {
	e := c.endpoint(arn)
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]model.TargetHealth, 0, len(e.targets))
	for _, t := range e.targets {
		h := model.TargetHealth{Target: t.at, State: "healthy", InFlight: t.busy()}
		if t.closed() {
			h.State = "draining"
		}
		out = append(out, h)
	}
	return out, nil
}

// groupsOf returns the security groups of the task at an address.
func (c *Connect) groupsOf(a netip.Addr) []string {
	if c.cfg.Peers == nil {
		return nil
	}
	t, _ := c.cfg.Peers.TaskAt(a)
	return t.Network.SecurityGroups
}
