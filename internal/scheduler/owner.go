package scheduler

import (
	"context"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"neargate/internal/model"
)

// owner runs the tasks of one service, or those of no service. All its fields
// belong to its goroutine, run, but for the mailbox and the view. Others give
// it functions to run there; whoever wants the truth reads the store or the
// view.
type owner struct {
	s   *Scheduler
	key string // CLUSTER/SERVICE, or ""
	box mailbox[func()]

	view atomic.Pointer[view]

	// Owned by run:
	tasks  map[string]*task
	marks  []mark
	news   []model.ServiceEvent
	said   map[string]time.Time // when a state that lasts was last said
	counts map[string]*tally    // by target group
	drains map[string]int       // tasks that began draining, by deployment
	wakeAt time.Time
	health map[string]map[model.Target]model.TargetHealth // by target group, of this turn
}

// mark is a change to one deployment that the next turn writes.
type mark struct {
	deployment string
	change     func(model.Deployment, model.RolloutConfig) model.Deployment
}

// tally counts what became of targets since the last turn.
type tally struct {
	registered, deregistered int
}

func newOwner(s *Scheduler, key string) *owner {
	return &owner{
		s: s, key: key, box: newMailbox[func()](), tasks: map[string]*task{}, said: map[string]time.Time{},
		counts: map[string]*tally{}, drains: map[string]int{},
		health: map[string]map[model.Target]model.TargetHealth{},
	}
}

// post has fn run by the owner's goroutine, followed by a look at everything.
// It does not block.
func (o *owner) post(fn func()) { o.box.put(fn) }

// later is post for a look at the latest at t.
func (o *owner) later(t time.Time) {
	if !t.IsZero() && (o.wakeAt.IsZero() || t.Before(o.wakeAt)) {
		o.wakeAt = t
	}
}

// name is the owner's service by cluster and name; "" and "" for tasks of none.
func (o *owner) name() (cluster, service string) {
	cluster, service, _ = strings.Cut(o.key, "/")
	return cluster, service
}

// record returns the service's record.
func (o *owner) record() (model.Service, bool) {
	cluster, service := o.name()
	return o.s.records.Service(cluster, service)
}

func (o *owner) run(ctx context.Context) {
	o.remember()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		for _, fn := range o.box.take() {
			fn()
		}
		o.wakeAt = time.Time{}
		o.turn(ctx)
		if o.retired() {
			return
		}
		timer.Stop()
		if !o.wakeAt.IsZero() {
			timer.Reset(max(0, time.Until(o.wakeAt)))
		}
		select {
		case <-ctx.Done():
		case <-o.box.wake:
		case <-timer.C:
		}
	}
}

// turn looks at everything, orders what is to be done, and writes down what
// was ordered and found. Orders go out before the writes: a task that runs
// and is not in the state is stopped at the next start, while a write before
// the order would make every start slower.
func (o *owner) turn(ctx context.Context) {
	now := time.Now()
	o.health = map[string]map[model.Target]model.TargetHealth{}
	o.tellTargets()
	for _, t := range o.ordered() {
		if t.LastStatus == model.TaskStopped {
			o.advance(ctx, t, now)
		}
	}
	svc, isService := o.record()
	if isService {
		svc = o.applyMarks(ctx, svc)
		o.plan(ctx, svc, now)
	}
	o.marks = nil
	o.publish(svc)
	for _, t := range o.ordered() {
		o.advance(ctx, t, now)
	}
	o.persist(ctx)
}

// applyMarks writes what tasks did to their deployments' counters.
func (o *owner) applyMarks(ctx context.Context, svc model.Service) model.Service {
	var marks []mark
	for _, m := range o.marks {
		if m.changes(svc) {
			marks = append(marks, m)
		}
	}
	o.marks = nil
	if len(marks) == 0 {
		return svc
	}
	return o.update(ctx, svc, func(svc *model.Service) {
		for _, m := range marks {
			svc.ChangeDeployment(m.deployment, func(d *model.Deployment) {
				*d = m.change(*d, svc.Rollout)
				d.UpdatedAt = time.Now()
			})
		}
	})
}

// changes says whether the mark would change anything of svc, to spare a write.
func (m mark) changes(svc model.Service) bool {
	for _, d := range svc.Deployments {
		if d.ID == m.deployment {
			return !reflect.DeepEqual(d, m.change(d, svc.Rollout))
		}
	}
	return false
}

// update changes the service's record. What cannot be written is logged and
// left for the next turn.
func (o *owner) update(ctx context.Context, svc model.Service, change func(*model.Service)) model.Service {
	cluster, name := o.name()
	next, err := o.s.records.ChangeService(context.WithoutCancel(ctx), cluster, name, change)
	return o.written(svc, next, err)
}

// written takes the outcome of a write and returns the record as it then is.
func (o *owner) written(before, after model.Service, err error) model.Service {
	if err != nil {
		o.s.log.Error("write service", "service", o.key, "err", err)
		o.later(time.Now().Add(time.Second))
		return before
	}
	return after
}

// persist writes all changed tasks and the events at once: they share a commit.
func (o *owner) persist(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	var writes sync.WaitGroup
	for _, t := range o.ordered() {
		if !t.dirty {
			continue
		}
		t.dirty = false
		record := t.Task
		writes.Go(func() {
			if err := o.s.records.PutTask(ctx, record); err != nil {
				t.dirty = true // for the next turn
				o.s.log.Error("write task", "task", record.ID, "err", err)
			}
		})
	}
	writes.Go(func() {
		if err := o.writeEvents(ctx); err != nil {
			o.s.log.Error("write events", "service", o.key, "err", err)
		}
	})
	writes.Wait()
	for _, t := range o.ordered() {
		o.afterWrite(ctx, t)
	}
}

// afterWrite moves on what waited for its state to be on disk.
func (o *owner) afterWrite(ctx context.Context, t *task) {
	switch {
	case t.LastStatus == model.TaskProvisioning && t.cancel != nil:
		t.set(model.TaskPending)
		o.post(func() {})
	case t.LastStatus == model.TaskStopped && t.place == out && t.cancel == nil:
		delete(o.tasks, t.ID)
		o.post(func() {})
		o.s.work.Go(func() {
			if err := o.s.engine.Forget(ctx, t.ID); err != nil {
				o.s.log.Warn("forget task", "task", t.ID, "err", err)
			}
		})
	}
}

// retired ends the owner of a service that is gone, unless it has been made
// anew meanwhile.
func (o *owner) retired() bool {
	if o.key == "" || len(o.tasks) > 0 {
		return false
	}
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	svc, ok := o.record()
	if ok && svc.Status != model.Inactive || !o.box.empty() {
		return false
	}
	delete(o.s.owners, o.key)
	return true
}
