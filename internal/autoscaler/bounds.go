package autoscaler

import (
	"context"

	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// boundsOf are a target's bounds.
func boundsOf(t model.ScalableTarget) scaling.Bounds {
	return scaling.Bounds{Min: t.Min, Max: t.Max, SuspendIn: t.SuspendIn, SuspendOut: t.SuspendOut}
}

// bound notes that a desired count outside a target's bounds is to be moved,
// unless scaling in that direction is suspended.
func (a *Autoscaler) bound(t model.ScalableTarget, desired int) {
	if _, _, outside := boundsOf(t).Move(desired); !outside {
		return
	}
	a.mu.Lock()
	a.moved[t.ResourceID] = boundsOf(t)
	a.mu.Unlock()
	a.poke()
}

// intoBounds moves the counts that bound has noted.
func (a *Autoscaler) intoBounds(ctx context.Context) {
	a.mu.Lock()
	moved := a.moved
	a.moved = map[string]scaling.Bounds{}
	a.mu.Unlock()
	for id, to := range moved {
		if t, ok := a.targets.Get(id); ok {
			a.report(ctx, "desired count not put inside its bounds", id, a.intoBound(ctx, t, to))
		}
	}
}

// intoBound moves a count outside a target's bounds to the nearer one.
func (a *Autoscaler) intoBound(ctx context.Context, t model.ScalableTarget, to scaling.Bounds) error {
	cluster, name, _ := policy.SplitResource(t.ResourceID)
	svc, found := a.sched.Service(cluster, name)
	n, cause, outside := to.Move(svc.DesiredCount)
	if !found || svc.Status != model.Active || !outside {
		return nil
	}
	return a.order(ctx, a.watch(t), t.ResourceID, svc, n, order{cause: cause}, a.now())
}
