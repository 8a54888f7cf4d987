package autoscaler

import (
	"context"
	"maps"
	"slices"
	"time"

	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// rootsAge is how long it may take until what became of a service shows in which
// target groups its requests come to.
const rootsAge = time.Second

// roots is which scaled services are behind each target group.
type roots struct {
	read time.Time
	of   map[string][]string // resource IDs by ARN of the target group
}

// Awaken is called when a request has found no task behind a target group. It
// reports whether a service that may have none brings one, so that the request may
// wait; the first task is ordered at once if that has not been done. It does not
// block.
func (a *Autoscaler) Awaken(targetGroupARN string) (coming bool) {
	for _, id := range a.behind(targetGroupARN) {
		target, ok := a.targets.Get(id)
		if !ok || !a.bounded(target).Awakens() || a.outlived(target) {
			continue
		}
		svc, ok := a.serviceOf(id)
		if !ok {
			continue
		}
		coming = true
		if svc.DesiredCount == 0 {
			a.mu.Lock()
			a.woken[id]++
			a.mu.Unlock()
			a.poke()
		}
	}
	return coming
}

// bounded is a target as decide/scaling takes it, without policies.
func (a *Autoscaler) bounded(t model.ScalableTarget) scaling.Config {
	return scaling.Config{Min: t.Min, Max: t.Max, SuspendIn: t.SuspendIn, SuspendOut: t.SuspendOut, Timing: a.timing(t)}
}

// serviceOf returns the service that a scalable target is of, if it is active.
func (a *Autoscaler) serviceOf(id string) (model.Service, bool) {
	cluster, name, _ := policy.SplitResource(id)
	svc, ok := a.sched.Service(cluster, name)
	return svc, ok && svc.Status == model.Active
}

// behind returns the resource IDs of the scaled services behind a target group.
func (a *Autoscaler) behind(targetGroupARN string) []string {
	a.mu.Lock()
	known := a.roots
	a.mu.Unlock()
	now := a.now()
	if age := now.Sub(known.read); known.of != nil && age >= 0 && age < rootsAge {
		return known.of[targetGroupARN]
	}
	next := roots{read: now, of: map[string][]string{}}
	for _, t := range a.targets.List("") {
		if svc, ok := a.serviceOf(t.ResourceID); ok {
			for _, arn := range svc.TargetGroups() {
				next.of[arn] = append(next.of[arn], t.ResourceID)
			}
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roots = next
	return next.of[targetGroupARN]
}

// uproot has the next request look anew for whom it comes to.
func (a *Autoscaler) uproot() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roots = roots{}
}

// poke has Run look for what is not of a second.
func (a *Autoscaler) poke() {
	select {
	case a.kick <- struct{}{}:
	default: // it will look anyway
	}
}

// wake orders first tasks.
func (a *Autoscaler) wake(ctx context.Context) {
	a.mu.Lock()
	woken := maps.Clone(a.woken)
	clear(a.woken)
	a.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(woken)) {
		a.report(ctx, "first task not ordered", id, a.guarded(func() { a.first(ctx, id, woken[id]) }))
	}
}

// first orders the first task of a service for requests that wait.
func (a *Autoscaler) first(ctx context.Context, id string, waiting int) {
	target, ok := a.targets.Get(id)
	svc, active := a.serviceOf(id)
	if !ok || !active || a.outlived(target) {
		return
	}
	w, now := a.watch(target), a.now()
	if left := w.quiet.Sub(now); left > 0 && left <= refusedPause {
		return
	}
	before := w.state.Order
	var d scaling.Decision
	d, w.state = scaling.Awaken(a.bounded(target), w.state, svc.DesiredCount, waiting, now)
	if d.Desired == svc.DesiredCount {
		return
	}
	if w.state.Order != before {
		a.report(ctx, "memory of decisions not kept", id, a.memorize(ctx, id, w))
	}
	a.remember(id, d, svc.DesiredCount, now)
	if err := a.order(ctx, w, id, svc, d.Desired, order{cause: firstRequest, details: d.Reason.String()}, now); err != nil {
		w.quiet = now.Add(refusedPause)
	}
}

// firstRequest is the cause of the first task of a service that had none.
const firstRequest = "a request arrived in live timing while the desired count was 0"
