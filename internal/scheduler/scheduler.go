// Package scheduler moves what runs towards what is desired, service by
// service, as ECS does: it starts and stops tasks through a runtime engine, puts
// them into target groups and takes them out, and writes down in the records of
// ECS what came of it.
//
// What to do next is decided by package rollout; here it is carried out. Each
// service has one goroutine that owns its tasks and is woken by what changes:
// a new desired count, a task's end, a target's health, a timer. Between a
// change and the first act upon it there is no polling.
//
// A Scheduler is safe for concurrent use. It knows nothing of scaling, metrics
// and the wire.
package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
	"neargate/internal/runtime"
)

// engine runs tasks.
type engine interface {
	runtime.Tasks
	runtime.Watcher
}

// targets is the balancer's side of target groups.
type targets interface {
	RegisterTargets(ctx context.Context, targetGroupARN string, targets []model.Target) error
	DeregisterTargets(ctx context.Context, targetGroupARN string, targets []model.Target) error
	// DeregisterLostTargets is for targets whose task has ended: they do not drain.
	DeregisterLostTargets(ctx context.Context, targetGroupARN string, targets []model.Target) error
	TargetHealth(targetGroupARN string) ([]model.TargetHealth, error)
}

// logGroups is where containers print to.
type logGroups interface {
	HasGroup(name string) bool
	EnsureGroup(ctx context.Context, name string) error
}

// Config sets the scheduler's timing and limits.
type Config struct {
	Place model.Place
	// Settle is how long a task without any health check must have been
	// RUNNING to count as healthy. ECS: 40 s; 0 counts it at once.
	Settle  time.Duration
	Backoff rollout.Backoff // for tasks that do not start
	// MaxTasks is how many tasks may be there at once; 0 is no limit.
	MaxTasks int
	// KeepStopped is how long ended tasks and deleted services stay visible.
	KeepStopped time.Duration
}

// Default is the `live` timing: no settling, first retry after a second.
func Default(p model.Place) Config {
	return Config{Place: p, Backoff: rollout.DefaultBackoff(), MaxTasks: 1000, KeepStopped: time.Hour}
}

// Scheduler keeps services as desired. Make it with New, start it with Run.
type Scheduler struct {
	cfg     Config
	log     *slog.Logger
	records records
	engine  engine
	targets targets
	logs    logGroups

	mu     sync.Mutex
	owners map[string]*owner // guarded by mu; by CLUSTER/NAME, "" for tasks of no service

	hatch mailbox[*owner] // owners whose goroutine is to be started
	work  sync.WaitGroup  // owners and their workers
}

// New returns a scheduler. Nothing runs until Run.
func New(records records, engine engine, targets targets, logs logGroups, cfg Config, log *slog.Logger) *Scheduler {
	return &Scheduler{
		cfg: cfg, log: log, records: records, engine: engine, targets: targets, logs: logs,
		owners: map[string]*owner{}, hatch: newMailbox[*owner](),
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Run takes over what the engine runs and then keeps every service as desired,
// until ctx ends. Tasks are left running. It returns when all its goroutines
// have ended.
func (s *Scheduler) Run(ctx context.Context) error {
	defer s.work.Wait()
	if err := s.takeOver(ctx); err != nil {
		return fmt.Errorf("take over tasks: %w", err)
	}
	s.work.Go(func() {
		for e := range s.engine.Events(ctx) {
			s.take(e)
		}
	})
	sweep := time.NewTicker(time.Minute)
	defer sweep.Stop()
	for {
		for _, o := range s.hatch.take() {
			s.work.Go(func() { o.run(ctx) })
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.hatch.wake:
		case now := <-sweep.C:
			s.sweep(ctx, now)
		}
	}
}

// owner gives the owner of key and has it started if it is new.
func (s *Scheduler) owner(key string) *owner {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.owners[key]
	if !ok {
		o = newOwner(s, key)
		s.owners[key] = o
		s.hatch.put(o)
	}
	return o
}

// eachOwner gives the owners there are now.
func (s *Scheduler) eachOwner() []*owner {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*owner, 0, len(s.owners))
	for _, o := range s.owners {
		all = append(all, o)
	}
	return all
}

// ServiceChanged wakes the owner of a service whose desired state has changed.
// It does not block.
func (s *Scheduler) ServiceChanged(cluster, service string) {
	s.owner(ownerKey(cluster, service)).post(func() {})
}

// take passes an event of the engine on to the owner of its task.
func (s *Scheduler) take(e runtime.Event) {
	o := s.owner(ownerKey(e.State.Labels[labelCluster], e.State.Labels[labelService]))
	o.post(func() {
		if e.Kind == runtime.TaskEnded {
			o.ended(e.State)
		} else {
			o.containersChanged(e.State)
		}
	})
}

// TargetChanged tells that a target's state in a group changed. It does not block.
func (s *Scheduler) TargetChanged(targetGroupARN string) {
	for _, o := range s.eachOwner() {
		if o.usesGroup(targetGroupARN) {
			o.post(func() {})
		}
	}
}

// ownerKey names the owner of a task: its service, or "".
func ownerKey(cluster, service string) string {
	if service == "" {
		return ""
	}
	return cluster + "/" + service
}
