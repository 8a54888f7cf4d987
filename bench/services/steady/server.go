package steady

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"neargate/internal/autoscaler"
	"neargate/internal/ecs"
	"neargate/internal/metric"
	"neargate/internal/metric/alarms"
	"neargate/internal/metric/collect"
	"neargate/internal/model"
	"neargate/internal/provision"
	"neargate/internal/runtime/fake"
	"neargate/internal/scheduler"
	"neargate/internal/store"
)

// The size of a task.
const (
	taskCPU = 256 // CPU units
	taskMiB = 512
)

const cluster = "bench"

// server is the parts that decide, joined as package app joins them, with world
// and fake tasks where containers and connections would be.
type server struct {
	world      *world
	db         *store.DB
	metrics    *metric.Store
	ecs        *ecs.Catalogue
	scheduler  *scheduler.Scheduler
	alarms     *alarms.Alarms
	autoscaler *autoscaler.Autoscaler
	collector  *collect.Collector
	watchdog   *watchdog

	decided                                    atomic.Int64 // services shown to the autoscaler
	collecting, deciding, alarming, persisting meter
}

// open joins the parts, on a machine that has room for all tasks.
func open(dir string, size Config) (s *server, err error) {
	s = &server{world: newWorld(size.Tasks), watchdog: &watchdog{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	log := slog.New(s.watchdog)
	if s.db, err = store.Open(filepath.Join(dir, "state.db")); err != nil {
		return s, err
	}
	if s.metrics, err = metric.Open(filepath.Join(dir, "metrics"), log); err != nil {
		return s, err
	}
	engine := fake.New(fake.Config{CPUUnits: size.Services * size.Tasks * taskCPU, MemoryMiB: size.Services * size.Tasks * taskMiB})
	cfg := scheduler.Default(place())
	cfg.MaxTasks = 0
	s.ecs, err = ecs.Open(s.db, s.world, ecs.Config{
		Place: place(), OnChange: func(cluster, service string) { s.scheduler.ServiceChanged(cluster, service) },
	})
	if err != nil {
		return s, err
	}
	s.scheduler = scheduler.New(scheduler.Parts{
		Records: s.ecs, Engine: engine, Targets: s.world, Rules: s.world, Alarms: s.world, Logs: logGroups{}, Prepare: provision.New(nil, nil, nil),
	}, cfg, log)
	s.world.changed = s.scheduler.TargetChanged
	if s.alarms, err = alarms.New(s.db, s.metrics, alarms.Config{
		Place: place(), Accepts: func(string) error { return nil },
	}, log); err != nil {
		return s, err
	}
	s.autoscaler, err = autoscaler.New(s.db, s.ecs, s.alarms, s.metrics, autoscaler.Config{Place: place()}, log)
	if err != nil {
		return s, err
	}
	src := sources{s}
	s.collector = collect.New(collect.Sources{Runtime: src, Balancer: src, Scheduler: src}, sink{s}, collect.Config{OnSecond: s.onSecond}, log)
	return s, nil
}

func (s *server) onSecond(seconds []model.ServiceSecond) {
	s.decided.Add(int64(len(seconds)))
	s.autoscaler.Observe(seconds)
}

// run runs every part until ctx ends.
func (s *server) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.scheduler.Run(ctx) })
	for _, p := range []struct {
		m    *meter
		part string
		run  func(context.Context) error
	}{
		{&s.collecting, partCollect, s.collector.Run},
		{&s.deciding, partDecide, s.autoscaler.Run},
		{&s.alarming, partAlarms, s.alarms.Run},
		{&s.persisting, partWrite, s.metrics.Run},
	} {
		group.Go(func() error { return p.m.run(p.part, func() error { return p.run(ctx) }) })
	}
	return group.Wait()
}

func (s *server) close() error {
	var errs []error
	if s.metrics != nil {
		errs = append(errs, s.metrics.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}

// sources are what the collector reads, each in its part.
type sources struct{ *server }

// ServiceTasks returns the scheduler's view, and lets the world go on by it.
func (s sources) ServiceTasks() (out []model.ServiceTasks) {
	s.collecting.in(partView, func() { out = s.scheduler.ServiceTasks() })
	s.collecting.in(partWorld, func() { s.world.advance(out, time.Now()) })
	return out
}

// Samples returns what the tasks have consumed.
func (s sources) Samples() (out []model.Sample) {
	s.collecting.in(partWorld, func() { out = s.world.samples() })
	return out
}

// Traffic returns the target groups' counters.
func (s sources) Traffic() (out []model.TargetGroupTraffic) {
	s.collecting.in(partWorld, func() { out = s.world.traffic() })
	return out
}

// LoadBalancerTraffic returns the load balancers' counters.
func (s sources) LoadBalancerTraffic() (out []model.LoadBalancerTraffic) {
	s.collecting.in(partWorld, func() { out = s.world.balancers() })
	return out
}

// sink is the metric store, in its part.
type sink struct{ *server }

// Put stores datapoints.
func (s sink) Put(now time.Time, data []model.Datum) (err error) {
	s.collecting.in(partPut, func() { err = s.metrics.Put(now, data) })
	return err
}

// watchdog is a log handler that remembers the first warning: a part that
// cannot keep up warns.
type watchdog struct{ first atomic.Pointer[string] }

// Enabled lets warnings through, and what is worse.
func (*watchdog) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

// Handle remembers.
func (w *watchdog) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += fmt.Sprintf(" %s=%v", a.Key, a.Value); return true })
	w.first.CompareAndSwap(nil, &text)
	return nil
}

// WithAttrs and WithGroup change nothing: only the message counts.
func (w *watchdog) WithAttrs([]slog.Attr) slog.Handler { return w }

// WithGroup is as WithAttrs.
func (w *watchdog) WithGroup(string) slog.Handler { return w }

func (w *watchdog) err() error {
	if text := w.first.Load(); text != nil {
		return fmt.Errorf("the server warned: %s", *text)
	}
	return nil
}
