package scheduler

import (
	"context"
	"fmt"
	"strings"
	"time"

	"neargate/internal/decide/placement"
	"neargate/internal/decide/rollout"
	"neargate/internal/decide/rollout/strategy"
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
	in := strategy.Input{Service: svc, Tasks: tasks, Backoff: o.s.cfg.Backoff, Traffic: o.traffic(svc), Now: now}
	in.Alarms, in.Window = o.watched(svc)
	step := strategy.Next(in)
	o.later(step.Again)
	if underway(svc) {
		o.later(now.Add(lookAgain))
	}
	did := false
	for _, side := range step.Sides {
		did = o.tend(ctx, svc, side, now) || did
	}
	if step.Shift != nil {
		o.shift(ctx, svc, *step.Shift, now)
	}
	if o.conclude(ctx, in, step) || did {
		o.post(wake{}) // what was done may call for more
	}
	o.sayGroups(svc, now)
	o.sayState(step.Impaired, impaired, impairedText, now)
	o.sayState(step.Blocked, blocked, blockedText, now)
	o.sayKept(step.Kept, now)
	o.sayState(step.Steady, steady, steadyText, now)
	o.later(o.journal.repeats(steady))
}

// tend orders what is to be done with the tasks of one deployment, and reports
// whether it was anything.
func (o *owner) tend(ctx context.Context, svc model.Service, side strategy.Side, now time.Time) bool {
	for _, id := range side.Return {
		o.next(ctx, o.entries[id], task.Resumed{}, now)
	}
	started := 0
	if !side.Held {
		started = o.startTasks(ctx, svc, side, now)
	}
	o.stopTasks(ctx, svc, side.Stop, now)
	return len(side.Return)+started+len(side.Stop) > 0
}

// watched returns the alarms of the primary deployment that are in ALARM, and
// the longest time over which one of all is evaluated.
func (o *owner) watched(svc model.Service) (firing []string, window time.Duration) {
	if !underway(svc) || !svc.Deployments[0].Strategy.Alarms.Enable {
		return nil, 0
	}
	names := svc.Deployments[0].Strategy.Alarms.Names
	return o.s.alarms.InAlarm(names), o.s.alarms.Window(names)
}

// lookAgain is how often rules and alarms are looked at while a deployment
// depends on them: they tell nobody of their changes.
const lookAgain = 250 * time.Millisecond

// underway reports whether a deployment of the service is on its way that looks
// at more than tasks.
func underway(svc model.Service) bool {
	if len(svc.Deployments) == 0 || svc.Deployments[0].RolloutState == rollout.Completed {
		return false
	}
	s := svc.Deployments[0].Strategy
	return s.Shifts() || s.Alarms.Enable
}

// sayKept tells of tasks that should go and are protected.
func (o *owner) sayKept(ids []string, now time.Time) {
	text := ""
	if len(ids) > 0 {
		text = fmt.Sprintf("was unable to reach steady state because (taskSet %s) was unable to scale in due to (reason %d tasks under protection)",
			o.entries[ids[0]].Record.DeploymentID, len(ids))
	}
	o.journal.state(now, kept, text)
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

// startTasks starts tasks of a deployment, as far as there is room, and returns
// how many.
func (o *owner) startTasks(ctx context.Context, svc model.Service, side strategy.Side, now time.Time) int {
	if side.Start == 0 {
		o.journal.state(now, full, "")
		return 0
	}
	def, ok := o.s.records.TaskDefinition(side.Deployment.TaskDefinitionARN)
	if !ok {
		o.s.log.Error("task definition is gone", "service", o.key, "definition", side.Deployment.TaskDefinitionARN)
		return 0
	}
	room, short := o.s.claim(side.Start, placement.Size{CPUUnits: def.CPUUnits, MemoryMiB: def.MemoryMiB}, def)
	o.journal.state(now, full, shortText(short, def))
	if short != placement.Enough {
		o.later(now.Add(time.Second))
	}
	if room == 0 {
		return 0
	}
	ids := make([]string, room)
	for i := range ids {
		record := o.s.serviceTask(svc, side.Deployment, def, now)
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
			reason = o.blame(e, now)
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

// blame tells once of an unhealthy task which check it failed, and returns the
// stoppedReason for it.
func (o *owner) blame(e *entry, now time.Time) string {
	say := func(format string, args ...any) {
		if !e.blamed {
			o.journal.say(now, format, args...)
		}
		e.blamed = true
	}
	for _, lb := range e.Record.LoadBalancers {
		target := model.Target{IP: e.Record.IP, Port: lb.ContainerPort}
		if h := o.group(lb.TargetGroupARN).targets[target]; h.State == "unhealthy" {
			reason := strings.TrimSuffix(h.Description, ".")
			say("(task %s) (port %d) is unhealthy in (target-group %s) due to (reason %s)", e.Record.ID, target.Port, lb.TargetGroupARN, reason)
			return fmt.Sprintf("Task failed ELB health checks in (target-group %s)", lb.TargetGroupARN)
		}
	}
	say("(task %s) failed container health checks.", e.Record.ID)
	return "Task failed container health checks"
}
