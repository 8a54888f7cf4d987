package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"neargate/internal/decide/task"
	"neargate/internal/model"
	"neargate/internal/runtime"
)

// engine runs tasks.
type engine interface {
	runtime.Tasks
	runtime.Watcher
	runtime.Resolver
	Capabilities() runtime.Capabilities
	Architectures() []model.Architecture
}

// targets is the balancer's side of target groups.
type targets interface {
	RegisterTargets(ctx context.Context, targetGroupARN string, targets []model.Target) error
	DeregisterTargets(ctx context.Context, targetGroupARN string, targets []model.Target) error
	// DeregisterLostTargets is for targets whose task has ended: they do not drain.
	DeregisterLostTargets(ctx context.Context, targetGroupARN string, targets []model.Target) error
	TargetHealth(targetGroupARN string) ([]model.TargetHealth, error)
}

// alarms knows which alarms are in ALARM.
type alarms interface {
	// InAlarm returns those of the named alarms that are in ALARM.
	InAlarm(names []string) []string
	// Window returns the longest time over which one of them is evaluated.
	Window(names []string) time.Duration
}

// logGroups is where containers print to.
type logGroups interface {
	HasGroup(name string) bool
	EnsureGroup(ctx context.Context, name string) error
}

// preparer fills in what a definition only refers to.
type preparer interface {
	// Prepare looks up the secrets, parameters and files that the containers of
	// a task that is about to start refer to, and puts their values into spec,
	// which holds what t and def themselves say. Nothing of the values may
	// reach a disk, a log or an error. Errors for which the definition is to
	// blame are *model.Error with ECS's code ResourceInitializationError.
	Prepare(ctx context.Context, t model.Task, def model.TaskDefinition, spec *model.TaskSpec) error
	// Credential returns what Prepare puts into the spec of one container to open
	// the registry of its image.
	Credential(ctx context.Context, c model.ContainerDefinition) (*model.Credential, error)
}

// carrier carries out the orders of tasks, one call each, which lasts as long
// as the order takes and returns its answer.
type carrier struct {
	engine  engine
	targets targets
	rules   rules
	logs    logGroups
	prepare preparer
	env     environment
	log     *slog.Logger
}

// stopTimeout is how long containers have between SIGTERM and SIGKILL when
// their definition does not say. ECS: 30 s.
const stopTimeout = 30 * time.Second

// start has the engine run a task, with the images that are known, when all
// that its definition refers to is there.
func (c carrier) start(ctx context.Context, t model.Task, def model.TaskDefinition, digests map[string]string) task.Event {
	spec := taskSpec(t, def, digests)
	err := c.prepare.Prepare(ctx, t, def, &spec)
	c.env.add(&spec, t, def)
	if err == nil {
		err = readyLogs(ctx, c.logs, spec)
	}
	var run model.RunState
	if err == nil {
		run, err = c.engine.Start(ctx, spec)
	}
	if err == nil {
		return task.Started{Run: run}
	}
	if ctx.Err() == nil {
		c.log.Warn("task did not start", "task", spec.ID, "name", spec.Name, "err", err)
	}
	if errors.Is(err, runtime.ErrEssentialEnded) {
		return task.NotStarted{Run: run}
	}
	return notStarted(err, run)
}

// notStarted is the answer of a start that ended with err.
func notStarted(err error, run model.RunState) task.NotStarted {
	answer := task.NotStarted{Reason: reasonOf(err), Run: run}
	if c, ok := errors.AsType[*runtime.ContainerError](err); ok {
		answer.Container = c.Container
	}
	return answer
}

// stop has the engine stop a task.
func (c carrier) stop(ctx context.Context, id string) task.Event {
	if err := c.engine.Stop(ctx, id, stopTimeout); err != nil {
		c.log.Warn("stop task", "task", id, "err", err)
		return task.StopFailed{}
	}
	return task.StopDone{}
}

// register puts the targets of a task into a target group.
func (c carrier) register(ctx context.Context, group string, targets []model.Target) task.Event {
	if err := c.targets.RegisterTargets(ctx, group, targets); err != nil {
		return c.refused("register targets", group, err)
	}
	return task.Registered{Group: group}
}

// deregister takes the targets of a task out of a target group; those of a task
// that has ended are lost.
func (c carrier) deregister(ctx context.Context, o task.Order, targets []model.Target) task.Event {
	deregister := c.targets.DeregisterTargets
	if o.Lost {
		deregister = c.targets.DeregisterLostTargets
	}
	if err := deregister(ctx, o.Group, targets); err != nil {
		return c.refused("deregister targets", o.Group, err)
	}
	return task.Deregistered{Group: o.Group}
}

func (c carrier) refused(what, group string, err error) task.Event {
	c.log.Warn("target group refused", "what", what, "target_group", group, "err", err)
	return task.Refused{Group: group, Reason: model.Message(err), Gone: model.KindOf(err) == model.NotFound}
}

// forget drops an ended task in the engine.
func (c carrier) forget(ctx context.Context, id string) {
	if err := c.engine.Forget(ctx, id); err != nil {
		c.log.Warn("forget task", "task", id, "err", err)
	}
}

// clear removes a task that no record knows.
func (c carrier) clear(ctx context.Context, run model.RunState) {
	if run.Running {
		if err := c.engine.Stop(ctx, run.ID, stopTimeout); err != nil {
			c.log.Warn("stop unknown task", "task", run.ID, "err", err)
			return
		}
	}
	c.forget(ctx, run.ID)
}

// reasonOf is an error as a stoppedReason: "CODE: text". One that is none of ECS's
// is the server's own fault, and its text is for the log alone: it may name places
// of this machine.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*model.Error](err); ok {
		if e.Code == "" {
			return e.Msg
		}
		return e.Code + ": " + e.Msg
	}
	return "ResourceInitializationError: " + model.Message(err)
}
