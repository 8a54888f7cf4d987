package balancer

import (
	"context"
	"time"
)

// firstLook is how long a start waits for the targets' first probes before it
// opens the listeners. Targets that kept running while the server was down
// answer within a few milliseconds.
const firstLook = 250 * time.Millisecond

// restore brings back what the store holds.
func (b *Balancer) restore(ctx context.Context) {
	b.control.Lock()
	defer b.control.Unlock()
	b.reopenSources(ctx)
	for _, tg := range b.tables.groups.List("") {
		b.addGroup(tg)
	}
	var live []*listener
	for _, l := range b.Listeners("") {
		made := b.makeListener(l)
		b.mu.Lock()
		b.listeners[l.ARN] = made
		b.mu.Unlock()
		live = append(live, made)
	}
	b.associate()
	for _, t := range b.tables.targets.List("") {
		if g, ok := b.group(t.TargetGroupARN); ok {
			b.admit(g, t.Target, t.DrainUntil)
		} else if _, err := b.tables.targets.Delete(ctx, targetKey(t.TargetGroupARN, t.Target)); err != nil {
			b.log.Warn("forget target of a deleted target group", "target", address(t.Target), "error", err)
		}
	}
	b.awaitProbes(ctx)
	for _, l := range live {
		if err := b.front.Restore(ctx, l); err != nil {
			b.log.Error("open listener", "listener", l.arn, "port", l.port, "error", err)
		}
		b.openDoors(l.lb.arn)
	}
}

// awaitProbes waits until no target is in its first probe any more, for
// firstLook at most.
func (b *Balancer) awaitProbes(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for b.probing() {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

func (b *Balancer) probing() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, g := range b.groups {
		if g.probing() {
			return true
		}
	}
	return false
}

func (g *group) probing() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.targets {
		if t.health.Reason == "Elb.RegistrationInProgress" && t.stateLocked() == "initial" {
			return true
		}
	}
	return false
}

// reopen tries again the listeners that could not be opened.
func (b *Balancer) reopen(ctx context.Context) {
	for _, l := range b.front.Reopen(ctx) {
		b.openDoors(l.lb.arn)
		b.log.Info("listener open", "listener", l.arn, "port", l.port)
	}
}
