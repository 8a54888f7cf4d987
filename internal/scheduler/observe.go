package scheduler

import (
	"context"
	"slices"
	"time"

	"neargate/internal/decide/placement"
	"neargate/internal/decide/rollout"
	"neargate/internal/decide/task"
	"neargate/internal/model"
)

// observe returns the tasks as a rollout sees them, in the order in which to
// stop them, and has the tasks learn of their health.
func (o *owner) observe(ctx context.Context, svc model.Service, now time.Time) []rollout.Task {
	var all, ended []rollout.Task
	var candidates []placement.Candidate
	for _, e := range o.ordered() {
		if e.Ended() {
			if !e.Deregistered() {
				ended = append(ended, rollout.Task{ID: e.Record.ID, Deployment: e.Record.DeploymentID, Phase: rollout.Ended})
			}
			continue
		}
		seen, inFlight := o.see(ctx, e, svc, now)
		all = append(all, seen)
		candidates = append(candidates, placement.Candidate{
			ID: seen.ID, Running: seen.Phase == rollout.Running, Healthy: seen.Health == rollout.Healthy, Unhealthy: seen.Health == rollout.Unhealthy,
			InFlight: inFlight, CreatedAt: e.Record.CreatedAt,
		})
	}
	sorted := make([]rollout.Task, len(all))
	for i, from := range placement.StopOrder(candidates) {
		sorted[i] = all[from]
	}
	return slices.Concat(sorted, ended)
}

// see returns one task as a rollout sees it, and its requests in flight.
func (o *owner) see(ctx context.Context, e *entry, svc model.Service, now time.Time) (seen rollout.Task, inFlight int) {
	checks := rollout.Checks{RunningSince: e.Record.StartedAt, HealthySince: e.healthySince}
	for _, lb := range e.Record.LoadBalancers {
		h := o.group(lb.TargetGroupARN).targets[model.Target{IP: e.Record.IP, Port: lb.ContainerPort}]
		inFlight += h.InFlight
		checks.Targets = append(checks.Targets, h.State)
	}
	if task.Checked(e.Def) {
		checks.Container = task.Verdict(e.Def, e.Record.Containers)
	}
	seen = rollout.Task{ID: e.Record.ID, Deployment: e.Record.DeploymentID, Phase: e.phase(), CanReturn: e.CanResume(), Registered: !e.Deregistered()}
	if seen.Phase != rollout.Running {
		return seen, inFlight
	}
	timing := o.s.cfg.Timing
	timing.Grace = svc.HealthCheckGrace
	verdict := rollout.Judge(checks, timing, now)
	o.later(verdict.Again)
	o.learn(ctx, e, verdict, now)
	o.blameEarly(e, verdict, svc, now)
	seen.Health, seen.Proven = verdict.Health, verdict.Proven
	seen.Protected = o.protected(e, now) && seen.Health != rollout.Unhealthy
	return seen, inFlight
}

// blameEarly tells of a task that turns unhealthy while its deployment is in
// progress: that may end before the task is stopped, or stop it for another
// reason. Later the event comes with the stop, after the replacement, as on AWS.
func (o *owner) blameEarly(e *entry, v rollout.Verdict, svc model.Service, now time.Time) {
	switch v.Health {
	case rollout.Healthy:
		e.blamed = false
	case rollout.Unhealthy:
		if slices.ContainsFunc(svc.Deployments, func(d model.Deployment) bool {
			return d.ID == e.Record.DeploymentID && d.RolloutState == rollout.InProgress
		}) {
			o.blame(e, now)
		}
	default: // nothing is known yet
	}
}

// protected reports whether a task is spared by scale-in and deployments, and
// looks again when that ends. Calls change the record of protection, not the
// owner.
func (o *owner) protected(e *entry, now time.Time) bool {
	record, _ := o.s.records.Task(e.Record.Cluster, e.Record.ID)
	if !record.Protected(now) {
		return false
	}
	o.later(record.ProtectedUntil)
	return true
}

// learn tells the task what its checks amount to.
func (o *owner) learn(ctx context.Context, e *entry, v rollout.Verdict, now time.Time) {
	if v.Health == rollout.Healthy && e.healthySince.IsZero() {
		e.healthySince = now
	}
	switch {
	case v.Proven && !e.Proven:
		o.next(ctx, e, task.Proved{}, now)
	case v.Health == rollout.Healthy && !e.Healthy:
		o.next(ctx, e, task.BecameHealthy{}, now)
	case v.Health == rollout.Unhealthy && !e.Failed:
		o.next(ctx, e, task.BecameUnhealthy{}, now)
	}
}
