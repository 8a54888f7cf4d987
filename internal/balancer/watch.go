package balancer

import (
	"context"
	"time"

	"neargate/internal/decide/health"
	"neargate/internal/model"
)

// watch is a target's goroutine: it probes the target while that is in service
// and sees its draining through. It ends when the target is gone or ctx ends.
func (b *Balancer) watch(ctx context.Context, t *target) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var plan health.Plan // of the next probe; At is zero while there is none
	for ctx.Err() == nil {
		phase, st := t.phase()
		var due time.Time
		switch phase {
		case gone:
			return
		case idle:
			plan = health.Plan{}
		case draining:
			plan = health.Plan{}
			if b.settle(ctx, t) {
				return
			}
			due = t.deadline()
			if !time.Now().Before(due) { // forgetting it did not work out
				due = time.Now().Add(time.Second)
			}
		case probed:
			hc := t.group.conf.Load().HealthCheck
			now := time.Now()
			if plan.At.IsZero() || plan.At.Sub(now) > hc.Interval { // the interval was shortened
				plan = st.First(hc, now)
			}
			if !time.Now().Before(plan.At) {
				plan = b.probe(ctx, t, hc, plan)
			}
			due = plan.At
		}
		rest(ctx, t, timer, due)
	}
}

// rest waits until due (zero: for ever), a nudge or ctx's end.
func rest(ctx context.Context, t *target, timer *time.Timer, due time.Time) {
	var at <-chan time.Time
	if !due.IsZero() {
		timer.Reset(time.Until(due))
		at = timer.C
	}
	select {
	case <-at:
	case <-t.wake:
	case <-ctx.Done():
	}
}

// phase is what a target's goroutine has to do.
type phase int

const (
	idle phase = iota // nothing: no listener uses the group
	probed
	draining
	gone
)

func (t *target) phase() (phase, health.State) {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	switch {
	case t.gone:
		return gone, t.health
	case !t.drainUntil.IsZero():
		return draining, t.health
	case len(t.group.usedBy) == 0:
		return idle, t.health
	}
	return probed, t.health
}

func (t *target) deadline() time.Time {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	return t.drainUntil
}

// probe probes once, takes the result in, and plans the next probe.
func (b *Balancer) probe(ctx context.Context, t *target, hc model.HealthCheck, plan health.Plan) health.Plan {
	began := time.Now()
	result := probeOnce(ctx, b.dialFor(t.group, -1), t.at, t.group.conf.Load(), plan)
	now := time.Now()
	if ctx.Err() != nil {
		return plan
	}
	b.noteCheck(t, hc, result, began, now)
	g := t.group
	g.mu.Lock()
	was := t.stateLocked()
	before := t.health
	t.health = t.health.Observe(hc, result, now)
	is, after := t.stateLocked(), t.health
	if is != was {
		if is == health.Healthy {
			g.enterLocked(t)
		}
		g.refreshLocked()
	}
	g.mu.Unlock()
	if is != was {
		g.dispatch()
		b.log.Info("target health", "target_group", g.arn, "target", t.addr, "from", was, "to", is,
			"reason", after.Reason, "after", now.Sub(before.Since))
		b.changes.add(g.arn)
	}
	return after.Next(hc, began, now)
}

// settle ends a target's draining if it is time; ended says that the target is
// gone. Draining is over when the deadline has passed or, unless the whole
// delay is to be shown, when nothing is in flight.
func (b *Balancer) settle(ctx context.Context, t *target) (ended bool) {
	unlock := b.targetLocks.lock(targetKey(t.group.arn, t.at))
	defer unlock()
	g := t.group
	g.mu.Lock()
	until, by, replaced := t.drainUntil, g.usedBy, t.gone
	g.mu.Unlock()
	late := !time.Now().Before(until)
	switch {
	case replaced: // the record is that of the target which has its address now
		return true
	case until.IsZero(): // back in service meanwhile
		return false
	case t.busy() > 0 && !late:
		return false
	case len(by) > 0 && !late && b.drainsInFull(by):
		b.changes.add(g.arn) // idle; shows as draining until the deadline
		return false
	}
	if _, err := b.tables.targets.Delete(ctx, targetKey(g.arn, t.at)); err != nil {
		b.log.Warn("forget target", "target_group", g.arn, "target", t.addr, "error", err)
		return false // tried again at the next nudge; a restart would try too
	}
	b.log.Info("target drained", "target_group", g.arn, "target", t.addr, "cut", t.busy())
	b.drop(t)
	b.changes.add(g.arn)
	return true
}

// drop takes a target out of its group and ends its goroutine and connections;
// requests still under way there are cut.
func (b *Balancer) drop(t *target) {
	g := t.group
	g.mu.Lock()
	t.gone = true
	if g.targets[t.at] == t {
		delete(g.targets, t.at)
	}
	g.refreshLocked()
	g.mu.Unlock()
	t.close()
	t.upstream.Cut()
	t.cancel()
	g.dispatch()
}
