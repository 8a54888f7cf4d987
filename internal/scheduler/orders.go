package scheduler

import (
	"cmp"
	"context"
	"slices"
	"time"

	"neargate/internal/decide/task"
	"neargate/internal/model"
	"neargate/internal/runtime"
)

// next has an event happen to a task, and carries out what that calls for. An
// order that must follow the write waits for the event of the write, which
// orders it again.
func (o *owner) next(ctx context.Context, e *entry, event task.Event, now time.Time) {
	state, orders := task.Next(e.State, event, now)
	e.State, e.again = state, orders.Again
	for _, f := range orders.Facts {
		o.take(e, f, now)
	}
	if e.Ended() && e.occupies {
		e.occupies = false
		o.s.capacity.release(1, e.size())
	}
	for _, order := range orders.Now {
		o.carryOut(ctx, e, order)
	}
	if e.Durable() {
		for _, order := range orders.Then {
			o.carryOut(ctx, e, order)
		}
	}
}

// carryOut begins what is ordered.
func (o *owner) carryOut(ctx context.Context, e *entry, order task.Order) {
	id, targets := e.Record.ID, e.Targets(order.Group)
	switch order.Kind {
	case task.Start:
		o.start(ctx, e)
	case task.CancelStart:
		if e.cancel != nil {
			e.cancel(runtime.ErrStopped)
		}
	case task.Stop:
		o.work(ctx, id, func() task.Event { return o.s.carrier.stop(ctx, id) })
	case task.Register:
		o.work(ctx, id, func() task.Event { return o.s.carrier.register(ctx, order.Group, targets) })
	case task.Deregister:
		o.work(ctx, id, func() task.Event { return o.s.carrier.deregister(ctx, order, targets) })
	case task.Write:
		o.unwritten[id] = true
	case task.Forget:
		delete(o.entries, id)
		e.answer(nil)
		o.s.work.Go(func() { o.s.carrier.forget(context.WithoutCancel(ctx), id) })
	}
}

// work runs a call of an order in a goroutine of its own, and sends its answer.
// When the server ends, the next one finds out for itself.
func (o *owner) work(ctx context.Context, id string, call func() task.Event) {
	o.s.work.Go(func() {
		if answer := call(); ctx.Err() == nil {
			o.post(answered{id, answer})
		}
	})
}

// start has the engine start a task, with the images of its deployment.
func (o *owner) start(ctx context.Context, e *entry) {
	record := e.Record
	startCtx, cancel := context.WithCancelCause(ctx)
	e.cancel = cancel
	def, ok := o.s.records.TaskDefinition(record.TaskDefinitionARN)
	images := o.images(ctx, record, def)
	o.work(ctx, record.ID, func() (answer task.Event) {
		defer cancel(nil)
		if !ok {
			return task.NotStarted{Reason: "ResourceInitializationError: task definition " + record.TaskDefinitionARN + " is gone"}
		}
		digests, err := images.wait(startCtx)
		if err == nil {
			err = o.guard("start", func() {
				answer = o.s.carrier.start(startCtx, record, def, digests)
			})
		}
		if err != nil {
			return notStarted(err, model.RunState{})
		}
		return answer
	})
}

// images returns the images that a task is to run: those of its deployment,
// which its first task looks for.
func (o *owner) images(ctx context.Context, record model.Task, def model.TaskDefinition) *resolution {
	id := record.DeploymentID
	if r, ok := o.resolving[id]; ok {
		return r
	}
	r := &resolution{done: make(chan struct{})}
	svc, _ := o.record()
	for _, d := range svc.Deployments {
		if d.ID == id {
			r.digests = d.Images
		}
	}
	if id == "" || r.digests != nil { // a task of no service runs what its images name now
		close(r.done)
		return r
	}
	o.resolving[id] = r
	known := runDigests(def, id, o.entries)
	cluster, name := o.name()
	o.s.work.Go(func() {
		defer close(r.done)
		if r.digests = known; known == nil {
			err := o.guard("resolve", func() { r.digests, r.err = o.s.carrier.resolve(ctx, def) })
			r.err = cmp.Or(r.err, err)
		}
		if r.err == nil {
			r.err = o.s.records.SetImages(ctx, cluster, name, id, r.digests)
		}
		o.post(resolved{id})
	})
	return r
}

// take notes a fact for the deployment's counts and the service's events.
func (o *owner) take(e *entry, f task.Fact, now time.Time) {
	r := e.Record
	balanced := slices.ContainsFunc(r.LoadBalancers, func(lb model.ServiceLoadBalancer) bool { return lb.TargetGroupARN == f.Group })
	o.marks = append(o.marks, mark{r.DeploymentID, f.Kind, r.CreatedAt, r.StartedAt, now})
	switch f.Kind {
	case task.IsProven:
		o.journal.state(now, launch, "")
	case task.DidNotStart:
		o.journal.state(now, launch, "failed to launch a task with (error "+f.Reason+").")
	case task.Crashed:
		if !e.Proven {
			o.journal.state(now, launch, "failed to launch a task with (error "+r.StopCode+": "+exitOf(r)+").")
		}
	case task.GotTargets, task.LeftGroup, task.WasRefused:
		if balanced { // of Service Connect, events say nothing
			o.takeOfGroup(e, f, now)
		}
	case task.BeganToDrain:
		if len(r.LoadBalancers) > 0 {
			o.drains[r.DeploymentID]++
		}
	default: // for the counts alone
	}
}

// takeOfGroup notes what became of a task's targets.
func (o *owner) takeOfGroup(e *entry, f task.Fact, now time.Time) {
	targets := len(e.Targets(f.Group))
	switch f.Kind {
	case task.GotTargets:
		o.tally(f.Group).registered += targets
		o.journal.state(now, f.Group, "")
	case task.LeftGroup:
		o.tally(f.Group).deregistered += targets
	case task.WasRefused:
		verb := "register"
		if f.Leaving {
			verb = "deregister"
		}
		o.journal.state(now, f.Group, "failed to "+verb+" targets in (target-group "+f.Group+") with (error "+f.Reason+")")
	default: // not of a group
	}
}
