package scheduler

import (
	"context"
	"fmt"
	"strings"
	"time"

	"neargate/internal/decide/placement"
	"neargate/internal/decide/rollout"
	"neargate/internal/decide/task"
	"neargate/internal/model"
)

// plan asks for the service's next step and orders it.
func (o *owner) plan(ctx context.Context, svc model.Service, now time.Time) {
	if svc.Status == model.Inactive {
		return
	}
	tasks := o.observe(ctx, svc, now)
	svc = o.count(ctx, svc, now)
	step := rollout.Next(svc, tasks, o.s.cfg.Backoff, now)
	o.later(step.Again)
	for _, id := range step.Return {
		o.next(ctx, o.entries[id], task.Resumed{}, now)
	}
	started := 0
	if !step.Held {
		started = o.startTasks(ctx, svc, step.Start, now)
	}
	o.stopTasks(ctx, svc, step.Stop, now)
	if concluded := o.conclude(ctx, svc, step, now); concluded || len(step.Return)+started+len(step.Stop) > 0 {
		o.post(wake{}) // what was done may call for more
	}
	o.sayGroups(svc, now)
	o.sayState(step.Impaired, impaired, impairedText, now)
	o.sayState(step.Blocked, blocked, blockedText, now)
	o.sayState(step.Steady, steady, steadyText, now)
	o.later(o.journal.repeats(steady))
}

func (o *owner) sayState(holds bool, topic, text string, now time.Time) {
	if !holds {
		text = ""
	}
	o.journal.state(now, topic, text)
}

// count writes what became of tasks into the counts of their deployments. What
// cannot be written is counted all the same, and written later.
func (o *owner) count(ctx context.Context, svc model.Service, now time.Time) model.Service {
	counted := svc
	if !applyMarks(&counted, o.marks, o.s.cfg.Backoff) {
		o.marks = nil
		return svc
	}
	cluster, name := o.name()
	next, err := o.s.records.ChangeService(context.WithoutCancel(ctx), cluster, name, func(svc *model.Service) {
		applyMarks(svc, o.marks, o.s.cfg.Backoff)
	})
	if err != nil {
		o.failed("count tasks", err, now)
		return counted
	}
	o.marks = nil
	return next
}

// failed logs a write that is tried again in a second.
func (o *owner) failed(what string, err error, now time.Time) {
	o.s.log.Error("write failed", "what", what, "service", o.key, "err", err)
	o.later(now.Add(time.Second))
}

// startTasks starts n tasks of the primary deployment, as far as there is room,
// and returns how many.
func (o *owner) startTasks(ctx context.Context, svc model.Service, n int, now time.Time) int {
	if n == 0 {
		o.journal.state(now, full, "")
		return 0
	}
	def, ok := o.s.records.TaskDefinition(svc.Deployments[0].TaskDefinitionARN)
	if !ok {
		o.s.log.Error("task definition is gone", "service", o.key, "definition", svc.Deployments[0].TaskDefinitionARN)
		return 0
	}
	room, short := o.s.capacity.claim(n, placement.Size{CPUUnits: def.CPUUnits, MemoryMiB: def.MemoryMiB})
	o.journal.state(now, full, [...]string{
		placement.Enough: "", placement.TooManyTasks: tooManyText, placement.NoMemory: noMemoryText, placement.NoCPU: noCPUText,
	}[short])
	if short != placement.Enough {
		o.later(now.Add(time.Second))
	}
	if room == 0 {
		return 0
	}
	ids := make([]string, room)
	for i := range ids {
		record := o.s.serviceTask(svc, def, now)
		ids[i] = record.ID
		o.adopt(ctx, record, now)
	}
	o.journal.say(now, "has started %d tasks: %s.", room, tasksOf(ids))
	return room
}

// stopTasks orders tasks to stop and tells of it.
func (o *owner) stopTasks(ctx context.Context, svc model.Service, stops []rollout.Stop, now time.Time) {
	var running []string
	pending := 0
	for _, stop := range stops {
		e := o.entries[stop.ID]
		if e.phase() == rollout.Running {
			running = append(running, stop.ID)
		} else {
			pending++
		}
		reason := fmt.Sprintf("Scaling activity initiated by (deployment %s)", svc.Deployments[0].ID)
		if stop.Why == rollout.Unwell {
			reason = o.unwell(e, now)
		}
		o.next(ctx, e, task.StopOrdered{Code: "ServiceSchedulerInitiated", Reason: reason, Surplus: stop.Why == rollout.Surplus}, now)
	}
	if len(running) > 0 {
		o.journal.say(now, "has stopped %d running tasks: %s.", len(running), tasksOf(running))
	}
	if pending > 0 {
		o.journal.say(now, "stopped %d pending tasks.", pending)
	}
}

// unwell tells why an unhealthy task is stopped, and returns its stoppedReason.
func (o *owner) unwell(e *entry, now time.Time) string {
	for _, lb := range e.Record.LoadBalancers {
		target := model.Target{IP: e.Record.IP, Port: lb.ContainerPort}
		if h := o.group(lb.TargetGroupARN).targets[target]; h.State == "unhealthy" {
			reason := strings.TrimSuffix(h.Description, ".")
			o.journal.say(now, "(task %s) (port %d) is unhealthy in (target-group %s) due to (reason %s)", e.Record.ID, target.Port, lb.TargetGroupARN, reason)
			return fmt.Sprintf("Task failed ELB health checks in (target-group %s)", lb.TargetGroupARN)
		}
	}
	o.journal.say(now, "(task %s) failed container health checks.", e.Record.ID)
	return "Task failed container health checks"
}

// conclude writes down what the step means for the deployments, and reports
// whether it wrote something.
func (o *owner) conclude(ctx context.Context, svc model.Service, step rollout.Step, now time.Time) (wrote bool) {
	ctx = context.WithoutCancel(ctx)
	cluster, name := o.name()
	write := func(wanted bool, what string, call func() error) {
		if !wanted {
			return
		}
		if err := call(); err != nil {
			o.failed(what, err, now)
			return
		}
		wrote = true
	}
	write(len(step.Retire) > 0, "retire deployments", func() error {
		_, err := o.s.records.RetireDeployments(ctx, cluster, name, step.Retire)
		return err
	})
	write(step.Fail, "fail deployment", func() error { return o.fail(ctx, svc, now) })
	write(step.Complete, "complete deployment", func() error {
		err := o.s.records.CompleteDeployment(ctx, cluster, name)
		if err == nil {
			o.journal.say(now, "(deployment %s) deployment completed.", svc.Deployments[0].ID)
		}
		return err
	})
	// The service is gone when the ends of all its tasks are written.
	write(step.Gone && len(o.entries) == 0, "end service", func() error { return o.s.records.EndService(ctx, cluster, name) })
	return wrote
}

// fail ends the primary deployment badly and goes back to an earlier one, if
// the service is to.
func (o *owner) fail(ctx context.Context, svc model.Service, now time.Time) error {
	cluster, name := o.name()
	back, err := o.s.records.FailDeployment(ctx, cluster, name)
	if err != nil {
		return err
	}
	o.journal.say(now, "(deployment %s) deployment failed: tasks failed to start.", svc.Deployments[0].ID)
	if back != "" {
		o.journal.say(now, "rolling back to deployment %s.", back)
	}
	return nil
}
