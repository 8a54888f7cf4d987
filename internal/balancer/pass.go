package balancer

import (
	"context"
	"time"

	"neargate/internal/balancer/front"
	"neargate/internal/decide/health"
	"neargate/internal/model"
)

// KnownTarget is what a process knows of a target, for one that takes its place.
type KnownTarget struct {
	Group     string
	Target    model.Target
	Health    health.State
	Anomaly   health.Anomaly
	WarmSince time.Time
}

// Pass has Run go on serving when its context ends, with the tables and the health of
// targets of then: nothing is probed, decided or written.
func (b *Balancer) Pass(p *front.Pass) { b.pass.Store(p) }

// goOn is the end of Run where another process takes over: when it returns, there are
// no new connections any more, or what is left is cut.
func (b *Balancer) goOn(hard context.Context, p *front.Pass) {
	b.flushLogs(hard, time.Now())
	p.Settle()
	if p.Wait() {
		b.front.Retire()
	}
}

// Known returns what is known of all targets that are in service.
func (b *Balancer) Known() (all []KnownTarget) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, g := range b.groups {
		g.mu.Lock()
		for _, t := range g.targets {
			if t.drainUntil.IsZero() && !t.lost {
				all = append(all, KnownTarget{g.arn, t.at, t.health, t.anomaly, t.warmSince})
			}
		}
		g.mu.Unlock()
	}
	return all
}

// remember indexes what a predecessor knew.
func (b *Balancer) remember(all []KnownTarget) {
	b.knew = map[string]KnownTarget{}
	for _, k := range all {
		b.knew[targetKey(k.Group, k.Target)] = k
	}
}
