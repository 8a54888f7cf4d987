package autoscaler

import (
	"context"
	"fmt"

	"neargate/internal/decide/policy"
	"neargate/internal/model"
)

// bound notes that a desired count outside a target's bounds is to be moved,
// unless scaling in that direction is suspended.
func (a *Autoscaler) bound(t model.ScalableTarget, desired int) {
	causes := boundCauses(t)
	if t.SuspendOut {
		causes.below = ""
	}
	if t.SuspendIn {
		causes.above = ""
	}
	if causes.of(t, desired) == "" {
		return
	}
	a.mu.Lock()
	a.moved[t.ResourceID] = causes
	a.mu.Unlock()
	select {
	case a.kick <- struct{}{}:
	default:
	}
}

// causes say why a count below or above a target's bounds moves; "" lets it
// stay.
type causes struct{ below, above string }

// boundCauses are AWS's words.
func boundCauses(t model.ScalableTarget) causes {
	return causes{
		below: fmt.Sprintf("minimum capacity was set to %d", t.Min),
		above: fmt.Sprintf("maximum capacity was set to %d", t.Max),
	}
}

func (c causes) of(t model.ScalableTarget, desired int) string {
	switch {
	case desired < t.Min:
		return c.below
	case desired > t.Max:
		return c.above
	}
	return ""
}

// intoBounds moves the counts that bound has noted.
func (a *Autoscaler) intoBounds(ctx context.Context) {
	a.mu.Lock()
	moved := a.moved
	a.moved = map[string]causes{}
	a.mu.Unlock()
	for id, why := range moved {
		if t, ok := a.targets.Get(id); ok {
			a.report(ctx, "desired count not put inside its bounds", id, a.intoBound(ctx, t, why))
		}
	}
}

// intoBound moves a count outside a target's bounds to the nearer one.
func (a *Autoscaler) intoBound(ctx context.Context, t model.ScalableTarget, why causes) error {
	cluster, name, _ := policy.SplitResource(t.ResourceID)
	svc, found := a.sched.Service(cluster, name)
	cause := why.of(t, svc.DesiredCount)
	if !found || svc.Status != activeNow || cause == "" {
		return nil
	}
	n := min(max(svc.DesiredCount, t.Min), t.Max)
	return a.order(ctx, a.watch(t), t.ResourceID, svc, n, order{cause: cause}, a.now())
}
