package scheduler

import (
	"context"
	"slices"
	"strings"
	"sync"

	"neargate/internal/model"
)

// lb is a balancer whose targets turn healthy at once and drain at once,
// unless told otherwise.
type lb struct {
	mu      sync.Mutex
	targets map[model.Target]*model.TargetHealth
	hold    bool   // draining targets stay until release
	fresh   string // state of newly registered targets
	log     []string
	changed func(string)
}

func newLB() *lb { return &lb{targets: map[model.Target]*model.TargetHealth{}, fresh: "healthy"} }

func (b *lb) RegisterTargets(_ context.Context, arn string, targets []model.Target) error {
	b.mu.Lock()
	for _, t := range targets {
		b.log = append(b.log, "register "+t.IP)
		b.targets[t] = &model.TargetHealth{Target: t, State: b.fresh}
	}
	b.mu.Unlock()
	b.changed(arn)
	return nil
}

func (b *lb) DeregisterTargets(_ context.Context, arn string, targets []model.Target) error {
	b.mu.Lock()
	for _, t := range targets {
		b.log = append(b.log, "deregister "+t.IP)
		if h := b.targets[t]; h != nil && b.hold {
			h.State = "draining"
		} else {
			delete(b.targets, t)
		}
	}
	b.mu.Unlock()
	b.changed(arn)
	return nil
}

func (b *lb) DeregisterLostTargets(_ context.Context, arn string, targets []model.Target) error {
	b.mu.Lock()
	for _, t := range targets {
		b.log = append(b.log, "lose "+t.IP)
		delete(b.targets, t)
	}
	b.mu.Unlock()
	b.changed(arn)
	return nil
}

func (b *lb) TargetHealth(arn string) ([]model.TargetHealth, error) {
	if strings.Contains(arn, "panic") {
		panic("of a target group")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []model.TargetHealth
	for _, h := range b.targets {
		all = append(all, *h)
	}
	return all, nil
}

// did reports whether the call was made.
func (b *lb) did(call string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.log, call)
}

// set gives the targets of ip a state; "" removes them.
func (b *lb) set(ip, state string) {
	b.mu.Lock()
	for t, h := range b.targets {
		if ip != "*" && t.IP != ip {
			continue
		}
		if state == "" {
			delete(b.targets, t)
			continue
		}
		h.State, h.Description = state, "Request timed out"
	}
	b.mu.Unlock()
	b.changed(group)
}

func (b *lb) configure(hold bool, fresh string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hold, b.fresh = hold, fresh
}

func (b *lb) state(ip string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for t, h := range b.targets {
		if t.IP == ip {
			return h.State
		}
	}
	return ""
}
