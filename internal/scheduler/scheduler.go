// Package scheduler moves what runs towards what is desired, service by
// service, as ECS does: it starts and stops tasks through a runtime engine, puts
// them into target groups and takes them out, and writes down in the records of
// ECS what came of it.
//
// What to do next is decided by packages rollout, for a service, and task, for
// each of its tasks; here it is carried out. Each service has one goroutine that
// owns its tasks and is woken by what changes: a new desired count, a task's
// end, a target's health, a timer. Between a change and the first act upon it
// there is no polling, and no call that takes time: workers make those.
//
// A Scheduler is safe for concurrent use. It knows nothing of scaling, metrics
// and the wire.
package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"neargate/internal/decide/placement"
	"neargate/internal/decide/rollout"
	"neargate/internal/model"
	"neargate/internal/runtime"
)

// Config sets the scheduler's timing and limits.
type Config struct {
	Place model.Place
	// Platform is what containers are told of where they run.
	Platform Platform
	Timing   rollout.Timing  // of health; Grace is the service's
	Backoff  rollout.Backoff // for tasks that do not start
	// MaxTasks is how many tasks may be there at once; 0 is no limit.
	MaxTasks int
	// CPUOvercommit and MemoryOvercommit are how many times what the machine has
	// tasks may take in sum.
	CPUOvercommit, MemoryOvercommit float64
	// KeepStopped is how long ended tasks and deleted services stay visible.
	KeepStopped time.Duration
}

// Default is the `live` timing: a first retry after a second; old tasks go for a
// new one when it has passed its health check for 2 s, or where it has none has
// run for 5 s. A program that cannot live mostly ends sooner than that, and a
// deployment takes no longer for it than people wait. CPUs may be promised ten
// times, as tasks that wait for requests need none; memory only once, as the
// machine has no way to take it back.
func Default(p model.Place) Config {
	return Config{
		Place: p, Backoff: rollout.DefaultBackoff(), MaxTasks: 1000, KeepStopped: time.Hour,
		Timing:        rollout.Timing{Checked: 2 * time.Second, Unchecked: 5 * time.Second},
		CPUOvercommit: 10, MemoryOvercommit: 1,
	}
}

// Scheduler keeps services as desired. Make it with New, start it with Run.
type Scheduler struct {
	cfg      Config
	log      *slog.Logger
	records  records
	engine   engine
	carrier  carrier
	capacity capacity
	alarms   alarms

	mu     sync.Mutex
	owners map[string]*owner // guarded by mu; by CLUSTER/NAME, "" for tasks of no service

	ending atomic.Bool // every task is stopped, and none is started

	fresh mailbox[*owner] // owners whose goroutine is to be started
	work  sync.WaitGroup  // owners and their workers
	ready chan struct{}
}

// Parts are the hands that a scheduler works with; all must be set.
type Parts struct {
	Records records
	Engine  engine
	Targets targets
	Rules   rules
	Alarms  alarms
	Logs    logGroups
	Prepare preparer
}

// New returns a scheduler. Nothing runs until Run.
func New(parts Parts, cfg Config, log *slog.Logger) *Scheduler {
	machine := parts.Engine.Capabilities()
	return &Scheduler{
		cfg: cfg, log: log, records: parts.Records, engine: parts.Engine, alarms: parts.Alarms,
		carrier: carrier{
			engine: parts.Engine, targets: parts.Targets, rules: parts.Rules, logs: parts.Logs, prepare: parts.Prepare, log: log,
			env: environment{platform: cfg.Platform, region: cfg.Place.Region, services: parts.Records},
		},
		capacity: capacity{limits: placement.Limits{Tasks: cfg.MaxTasks, Size: placement.Overcommit(
			placement.Size{CPUUnits: machine.CPUUnits, MemoryMiB: machine.MemoryMiB}, cfg.CPUOvercommit, cfg.MemoryOvercommit)}},
		owners: map[string]*owner{}, fresh: newMailbox[*owner](), ready: make(chan struct{}),
	}
}

// Ready is closed when Run has taken over what an earlier server left: from
// then on the records show what runs now.
func (s *Scheduler) Ready() <-chan struct{} { return s.ready }

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
	first := s.eachOwner()
	s.work.Go(func() {
		for _, o := range first {
			<-o.first // closed also when the owner ends
		}
		close(s.ready)
	})
	sweep := time.NewTicker(time.Minute)
	defer sweep.Stop()
	for {
		for _, o := range s.fresh.take() {
			s.work.Go(func() { o.run(ctx) })
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.fresh.wake:
		case now := <-sweep.C:
			s.sweep(ctx, now)
		}
	}
}

// owner returns the owner of key and has it started if it is new.
func (s *Scheduler) owner(key string) *owner {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.owners[key]
	if !ok {
		o = newOwner(s, key)
		s.owners[key] = o
		s.fresh.put(o)
	}
	return o
}

// eachOwner returns the owners there are now.
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
	s.owner(ownerKey(cluster, service)).post(wake{})
}

// take passes an event of the engine on to the owner of its task.
func (s *Scheduler) take(e runtime.Event) {
	s.owner(ownerKey(e.State.Labels[labelCluster], e.State.Labels[labelService])).post(told{e})
}

// TargetChanged tells that a target's state in a group changed. It does not block.
func (s *Scheduler) TargetChanged(targetGroupARN string) {
	for _, o := range s.eachOwner() {
		if o.usesGroup(targetGroupARN) {
			o.post(wake{})
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
