package balancer

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/health"
	"neargate/internal/model"
)

// RegisterTargets puts targets into a target group; port 0 means the group's.
// They serve once a probe has passed. One that is there stays as it is; one
// that is draining is back in service at once, with the health it had.
// Codes: TargetGroupNotFound, InvalidTarget.
func (b *Balancer) RegisterTargets(ctx context.Context, tgARN string, targets []model.Target) error {
	return b.eachTarget(ctx, tgARN, targets, b.register)
}

// DeregisterTargets takes targets out of a target group: they get no new
// requests from now on and drain. One that is not there is ignored, as on AWS.
// Codes: TargetGroupNotFound.
func (b *Balancer) DeregisterTargets(ctx context.Context, tgARN string, targets []model.Target) error {
	return b.eachTarget(ctx, tgARN, targets, b.deregister)
}

// DeregisterLostTargets is DeregisterTargets for targets that have ended by
// themselves. Nothing answers there any more, perhaps not even with a refusal,
// so requests in flight are not waited for: those that may be repeated go to
// other targets, the rest end with 502. Codes: TargetGroupNotFound.
func (b *Balancer) DeregisterLostTargets(ctx context.Context, tgARN string, targets []model.Target) error {
	return b.eachTarget(ctx, tgARN, targets, b.lose)
}

// eachTarget runs fn for each target at once, so that their writes to disk
// share a commit.
func (b *Balancer) eachTarget(ctx context.Context, tgARN string, targets []model.Target, fn func(context.Context, *group, model.Target) error) error {
	if err := b.up(ctx); err != nil {
		return err
	}
	g, ok := b.group(tgARN)
	if !ok {
		return errNoTargetGroup()
	}
	targets = slices.Clone(targets)
	for i := range targets {
		if targets[i].Port == 0 {
			targets[i].Port = g.conf.Load().Port
		}
		if err := checkTarget(targets[i]); err != nil {
			return err
		}
	}
	errs := make([]error, len(targets))
	var wg sync.WaitGroup
	for i, t := range targets {
		wg.Go(func() { errs[i] = fn(ctx, g, t) })
	}
	wg.Wait()
	b.changes.add(tgARN)
	return errors.Join(errs...)
}

func checkTarget(t model.Target) error {
	if _, err := netip.ParseAddrPort(address(t)); err != nil || t.Port == 0 {
		return model.Errorf(model.Invalid, "InvalidTarget", "'%s' is not a valid IP address and port", address(t))
	}
	return nil
}

func (b *Balancer) register(ctx context.Context, g *group, at model.Target) error {
	key := targetKey(g.arn, at)
	defer b.targetLocks.lock(key)()
	err := b.tables.targets.Put(ctx, key, targetRecord{TargetGroupARN: g.arn, Target: at})
	if err != nil {
		return err
	}
	if b.admit(g, at, time.Time{}) {
		return nil
	}
	_, err = b.tables.targets.Delete(ctx, key) // the group was deleted meanwhile
	return errors.Join(errNoTargetGroup(), err)
}

// admit puts a target into its group, or takes a draining one back into
// service. It is false when the group is gone. One that was lost is another
// target than the one that has its address now.
func (b *Balancer) admit(g *group, at model.Target, drainUntil time.Time) bool {
	g.mu.Lock()
	if g.gone {
		g.mu.Unlock()
		return false
	}
	t, known := g.targets[at]
	if known && t.lost {
		t.gone, known = true, false
		t.cancel()
	}
	if known {
		t.drainUntil = time.Time{}
		g.enterLocked(t)
		t.open()
		t.nudge()
	} else {
		t = b.newTarget(g, at, drainUntil)
		g.targets[at] = t
	}
	g.refreshLocked()
	g.mu.Unlock()
	g.dispatch()
	return true
}

func (b *Balancer) newTarget(g *group, at model.Target, drainUntil time.Time) *target {
	now := time.Now()
	t := &target{
		group: g, at: at, addr: address(at),
		upstream: b.pool.Target(exchange.TargetSpec{
			Addr: netip.MustParseAddrPort(address(at)), Dial: b.dialFor(g, 0),
			Protocol: g.conf.Load().speaks, TLS: g.conf.Load().Protocol == "HTTPS",
		}),
		wake: make(chan struct{}, 1), health: health.New(now), drainUntil: drainUntil, drainSince: now,
	}
	if k, ok := b.knew[targetKey(g.arn, at)]; ok {
		t.health, t.anomaly, t.warmSince = k.Health, k.Anomaly, k.WarmSince
	}
	if !drainUntil.IsZero() {
		t.close()
	}
	t.cancel = b.spawn(func(ctx context.Context) { b.watch(ctx, t) })
	return t
}

func (b *Balancer) deregister(ctx context.Context, g *group, at model.Target) error {
	key := targetKey(g.arn, at)
	defer b.targetLocks.lock(key)()
	g.mu.Lock()
	t, known := g.targets[at]
	already := known && !t.drainUntil.IsZero()
	g.mu.Unlock()
	if !known || already {
		return nil
	}
	now := time.Now()
	until := now.Add(g.conf.Load().delay)
	err := b.tables.targets.Put(ctx, key, targetRecord{TargetGroupARN: g.arn, Target: at, DrainUntil: until})
	if err != nil {
		return err
	}
	g.mu.Lock()
	t.drainUntil, t.drainSince = until, now
	g.refreshLocked() // first out of the table, then closed: who fails to claim reads the new table
	g.mu.Unlock()
	t.close()
	t.upstream.EndDials() // of requests that claimed it just before
	g.dispatch()
	t.nudge()
	return nil
}

// lose deregisters a target whose address answers no more. It takes no requests
// before its own fail, as they look for another, and before its record is on disk.
func (b *Balancer) lose(ctx context.Context, g *group, at model.Target) error {
	g.mu.Lock()
	t, known := g.targets[at]
	if !known {
		g.mu.Unlock()
		return nil
	}
	t.lost = true
	g.refreshLocked()
	g.mu.Unlock()
	t.close()
	t.upstream.Lose()
	return b.deregister(ctx, g, at)
}

// TargetHealth returns the targets of a target group, draining ones too, by
// address. Codes: TargetGroupNotFound.
func (b *Balancer) TargetHealth(tgARN string) ([]model.TargetHealth, error) {
	g, ok := b.group(tgARN)
	if !ok {
		return nil, errNoTargetGroup()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]model.TargetHealth, 0, len(g.targets))
	for _, t := range g.targets {
		out = append(out, t.reportLocked())
	}
	slices.SortFunc(out, func(a, b model.TargetHealth) int {
		if c := strings.Compare(a.IP, b.IP); c != 0 {
			return c
		}
		return a.Port - b.Port
	})
	return out, nil
}
