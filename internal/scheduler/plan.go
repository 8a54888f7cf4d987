package scheduler

import (
	"context"
	"fmt"
	"strings"
	"time"

	"neargate/internal/decide/placement"
	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// plan asks for the service's next step and orders it.
func (o *owner) plan(ctx context.Context, svc model.Service, now time.Time) {
	if svc.Status == model.Inactive {
		return
	}
	tasks := o.observe(svc, now)
	if len(o.marks) > 0 { // health that tasks reached just now
		svc = o.applyMarks(ctx, svc)
	}
	step := rollout.Next(svc, tasks, o.s.cfg.Backoff, now)
	o.later(step.Again)
	if len(step.Retire) > 0 {
		cluster, name := o.name()
		next, err := o.s.records.RetireDeployments(context.WithoutCancel(ctx), cluster, name, step.Retire)
		svc = o.written(svc, next, err)
	}
	for _, id := range step.Return {
		o.resume(o.tasks[id])
	}
	if !o.burying() {
		o.startTasks(svc, step.Start, now)
	}
	o.stopTasks(svc, step.Stop)
	if step.Fail {
		o.fail(ctx, svc)
	}
	if step.Complete {
		o.complete(ctx, svc)
	}
	o.sayState(step.Impaired, impairedMessage)
	o.sayState(step.Blocked, blockedMessage)
	o.sayState(step.Steady, steadyMessage)
	if step.Steady {
		o.later(o.said[steadyMessage].Add(repeatAfter))
	}
	if step.Gone && len(o.tasks) == 0 { // all their ends are written
		o.gone(ctx)
	}
	if !step.Idle() && !o.burying() {
		o.post(func() {}) // what was ordered may call for more
	}
}

// observe gives the tasks as a rollout sees them, in the order in which to stop
// them, and notes which ones have become healthy.
func (o *owner) observe(svc model.Service, now time.Time) []rollout.Task {
	var all []rollout.Task
	var candidates []placement.Candidate
	for _, t := range o.ordered() {
		if t.LastStatus == model.TaskStopped {
			continue
		}
		seen, inFlight := o.see(t, svc, now)
		all = append(all, seen)
		candidates = append(candidates, placement.Candidate{
			ID: t.ID, Running: seen.Phase == rollout.Running, Healthy: seen.Health == rollout.Healthy, Unhealthy: seen.Health == rollout.Unhealthy,
			InFlight: inFlight, CreatedAt: t.CreatedAt,
		})
	}
	sorted := make([]rollout.Task, len(all))
	for i, from := range placement.StopOrder(candidates) {
		sorted[i] = all[from]
	}
	return sorted
}

// see gives one task as a rollout sees it, and its requests in flight.
func (o *owner) see(t *task, svc model.Service, now time.Time) (seen rollout.Task, inFlight int) {
	seen = rollout.Task{ID: t.ID, Deployment: t.DeploymentID, Phase: t.phase()}
	var checks rollout.Checks
	for group, targets := range t.addresses() {
		for _, target := range targets {
			h := o.groupHealth(group)[target]
			inFlight += h.InFlight
			checks.Targets = append(checks.Targets, h.State)
		}
	}
	if seen.Phase == rollout.Running {
		seen.Health = o.judge(t, checks, svc, now)
	}
	seen.CanReturn = t.LastStatus == model.TaskDeactivating && t.place == out && t.wasHealthy &&
		t.StopCode == schedulerStop && t.why == rollout.Surplus && !o.drained(t)
	return seen, inFlight
}

func (o *owner) judge(t *task, checks rollout.Checks, svc model.Service, now time.Time) rollout.Health {
	checks.RunningSince = t.StartedAt
	if t.checked {
		checks.Container = t.Health
	}
	health, again := rollout.Judge(checks, rollout.Timing{Grace: svc.HealthCheckGrace, Settle: o.s.cfg.Settle}, now)
	o.later(again)
	t.health = health
	if health == rollout.Healthy && !t.wasHealthy {
		t.wasHealthy = true
		o.marks = append(o.marks, mark{t.DeploymentID, rollout.BecameHealthy})
	}
	return health
}

// burying says that a task that ended by itself still has targets. Its
// replacement waits for the moment that takes, as it may get the same address.
func (o *owner) burying() bool {
	for _, t := range o.tasks {
		if t.LastStatus == model.TaskStopped && t.place != out {
			return true
		}
	}
	return false
}

// startTasks makes n tasks of the primary deployment; advance starts them.
func (o *owner) startTasks(svc model.Service, n int, now time.Time) {
	room := placement.Room(n, o.s.live(), o.s.cfg.MaxTasks)
	o.sayState(room < n, fullMessage)
	if room < n {
		o.later(now.Add(5 * time.Second))
	}
	if room == 0 {
		return
	}
	def, ok := o.s.records.TaskDefinition(svc.Deployments[0].TaskDefinitionARN)
	if !ok {
		o.s.log.Error("task definition is gone", "service", o.key, "definition", svc.Deployments[0].TaskDefinitionARN)
		return
	}
	ids := make([]string, room)
	for i := range ids {
		t := o.adopt(o.s.serviceTask(svc, def, now))
		t.dirty = true
		ids[i] = t.ID
	}
	o.say("has started %d tasks: %s.", room, tasksOf(ids))
}

const schedulerStop = "ServiceSchedulerInitiated"

// stopTasks orders tasks to stop and says so.
func (o *owner) stopTasks(svc model.Service, stops []rollout.Stop) {
	var running []string
	pending := 0
	for _, stop := range stops {
		t := o.tasks[stop.ID]
		t.why = stop.Why
		if t.phase() == rollout.Running {
			running = append(running, t.ID)
		} else {
			pending++
		}
		reason := fmt.Sprintf("Scaling activity initiated by (deployment %s)", svc.Deployments[0].ID)
		if stop.Why == rollout.Unwell {
			reason = o.unwell(t)
			o.failedHealth(t)
		}
		o.stop(t, schedulerStop, reason)
	}
	if len(running) > 0 {
		o.say("has stopped %d running tasks: %s.", len(running), tasksOf(running))
	}
	if pending > 0 {
		o.say("stopped %d pending tasks.", pending)
	}
}

// unwell says why an unhealthy task is stopped, and gives its stoppedReason.
func (o *owner) unwell(t *task) string {
	for group, targets := range t.addresses() {
		for _, target := range targets {
			if h := o.groupHealth(group)[target]; h.State == "unhealthy" {
				reason := strings.TrimSuffix(h.Description, ".")
				o.say("(task %s) (port %d) is unhealthy in (target-group %s) due to (reason %s)", t.ID, target.Port, group, reason)
				return fmt.Sprintf("Task failed ELB health checks in (target-group %s)", group)
			}
		}
	}
	o.say("(task %s) failed container health checks.", t.ID)
	return "Task failed container health checks"
}
