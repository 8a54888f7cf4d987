// Package steady measures what deciding costs a server with very many services
// under a steady load. The parts that decide are the server's own: store,
// scheduler, collector, metrics, alarms and autoscaler. Containers, connections
// and the kernel's accounts are stood in for, and so is their cost.
package steady

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"neargate/bench/rig"
	"neargate/internal/autoscaler"
	"neargate/internal/decide/policy"
	"neargate/internal/ecs"
	"neargate/internal/model"
)

// Config is what a run may be told.
type Config struct {
	Services int           // each with a target group and a load balancer of its own
	Tasks    int           // of each service
	Window   time.Duration // measured, after a warm-up
	Warm     time.Duration // from when all tasks run and all policies are there
	// Begin, if not nil, is called when the window begins; what it gives, when
	// it ends.
	Begin func() (end func() error, err error)
}

// Part is the share of a core that a part of the server takes.
type Part struct {
	Name  string
	Cores float64
}

// Result is what a run saw. All figures are CPU seconds per second.
type Result struct {
	Seconds float64 // of the window
	Decided int64   // services decided in the window
	Moved   int     // activities in it: a steady load has none, or few
	Path    float64 // from the scheduler's view over the collector's account to the decision
	Server  float64 // the whole process without the stand-ins
	Parts   []Part  // of Server, the largest first
}

// The parts.
const (
	partView    = "scheduler's view of tasks"
	partCollect = "collect"
	partDecide  = "autoscaler and decision"
	partPut     = "metric store: put"
	partWrite   = "metric store: write and roll up"
	partAlarms  = "alarms"
	partWorld   = "stand-ins"
	partRest    = "garbage collection, runtime, the rest"
)

// path are the parts of Path.
func path() []string { return []string{partView, partCollect, partDecide} }

func place() model.Place { return model.Place{Region: "us-east-1", Account: "000000000000"} }

// Run sets a server up, lets it get steady, and measures it.
func Run(ctx context.Context, cfg Config) (r Result, err error) {
	if cfg.Services < 1 || cfg.Tasks < 1 || cfg.Window < time.Second {
		return r, errors.New("services and tasks must be at least 1, and the window at least 1s")
	}
	dir, err := os.MkdirTemp("", "neargate-bench")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := open(dir, cfg)
	if err != nil {
		return r, err
	}
	runCtx, stop := context.WithCancel(ctx)
	group, runCtx := errgroup.WithContext(runCtx)
	group.Go(func() error { return s.run(runCtx) })
	group.Go(func() error {
		defer stop()
		if err := s.populate(runCtx, cfg); err != nil {
			return err
		}
		var err error
		r, err = s.measure(runCtx, cfg)
		return err
	})
	return r, errors.Join(group.Wait(), s.close())
}

// setters is how many services are set up at once: they share commits.
const setters = 64

// populate creates the services, waits for their tasks, and puts their policies.
func (s *server) populate(ctx context.Context, cfg Config) error {
	if _, err := s.ecs.CreateCluster(ctx, ecs.CreateClusterRequest{Name: cluster}); err != nil {
		return err
	}
	_, err := s.ecs.RegisterTaskDefinition(ctx, ecs.RegisterTaskDefinitionRequest{
		Family: "app", CPU: strconv.Itoa(taskCPU), Memory: strconv.Itoa(taskMiB), NetworkMode: "awsvpc",
		Containers: []model.ContainerDefinition{{
			Name: "app", Image: "app:1", Essential: true, PortMappings: []model.PortMapping{{ContainerPort: 8080, Protocol: "tcp"}},
		}},
	})
	if err != nil {
		return err
	}
	err = s.each(ctx, cfg, func(ctx context.Context, name string) error {
		_, err := s.ecs.CreateService(ctx, ecs.CreateServiceRequest{Name: name, Cluster: cluster, Settings: ecs.ServiceSettings{
			TaskDefinition: new("app"), DesiredCount: new(cfg.Tasks), Network: &model.Network{Subnets: []string{"subnet-1"}},
			LoadBalancers: []model.ServiceLoadBalancer{{TargetGroupARN: groupARN(name), ContainerName: "app", ContainerPort: 8080}},
		}})
		return err
	})
	if err != nil {
		return err
	}
	if err := s.untilRunning(ctx, cfg); err != nil {
		return err
	}
	err = s.each(ctx, cfg, func(ctx context.Context, name string) error { return s.scale(ctx, name, cfg) })
	return errors.Join(err, rig.Pause(ctx, cfg.Warm))
}

func (s *server) each(ctx context.Context, cfg Config, do func(ctx context.Context, name string) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(setters)
	for i := range cfg.Services {
		group.Go(func() error { return do(ctx, fmt.Sprintf("service-%04d", i)) })
	}
	return group.Wait()
}

// scale returns a service a policy that its load meets.
func (s *server) scale(ctx context.Context, name string, cfg Config) error {
	id, low, high := policy.Resource(cluster, name), 1, 2*cfg.Tasks
	if _, err := s.autoscaler.RegisterTarget(ctx, autoscaler.Registration{ResourceID: id, Min: &low, Max: &high}); err != nil {
		return err
	}
	_, err := s.autoscaler.PutPolicy(ctx, model.ScalingPolicy{Name: "cpu", ResourceID: id, Tracking: &model.TargetTracking{
		Target: 100 * busy, Predefined: "ECSServiceAverageCPUUtilization", ScaleOut: 30 * time.Second, ScaleIn: 30 * time.Second,
	}})
	return err
}

// startLimit is how long all tasks may take to run.
const startLimit = 10 * time.Minute

func (s *server) untilRunning(ctx context.Context, cfg Config) error {
	limit := time.Now().Add(startLimit)
	for {
		n := 0
		for _, t := range s.scheduler.ServiceTasks() {
			n += len(t.Running)
		}
		if n == cfg.Services*cfg.Tasks {
			return nil
		}
		if time.Now().After(limit) {
			return fmt.Errorf("%d of %d tasks ran after %v", n, cfg.Services*cfg.Tasks, startLimit)
		}
		if err := rig.Pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

// measure takes the CPU of the window, part by part.
func (s *server) measure(ctx context.Context, cfg Config) (Result, error) {
	end := func() error { return nil }
	if cfg.Begin != nil {
		var err error
		if end, err = cfg.Begin(); err != nil {
			return Result{}, err
		}
	}
	s.watchdog.first.Store(nil)
	acts, decided, began := len(s.autoscaler.Activities("")), s.decided.Load(), time.Now()
	before, process := s.parts(), processCPU()
	if err := rig.Pause(ctx, cfg.Window); err != nil {
		return Result{}, errors.Join(err, end())
	}
	after, spent, took := s.parts(), processCPU()-process, time.Since(began)
	r := Result{Seconds: took.Seconds(), Decided: s.decided.Load() - decided, Moved: len(s.autoscaler.Activities("")) - acts}
	if err := errors.Join(end(), s.watchdog.err()); err != nil {
		return r, err
	}
	cores := func(d time.Duration) float64 { return d.Seconds() / took.Seconds() }
	rest := spent
	for part, d := range after {
		d -= before[part]
		rest -= d
		if part == partWorld {
			r.Server -= cores(d)
			continue
		}
		r.Parts = append(r.Parts, Part{part, cores(d)})
		if slices.Contains(path(), part) {
			r.Path += cores(d)
		}
	}
	r.Server += cores(spent)
	r.Parts = append(r.Parts, Part{partRest, cores(rest)})
	slices.SortFunc(r.Parts, func(a, b Part) int {
		if a.Cores != b.Cores {
			return int(1e9 * (b.Cores - a.Cores))
		}
		return strings.Compare(a.Name, b.Name)
	})
	return r, nil
}

// parts returns the CPU time of each part so far.
func (s *server) parts() map[string]time.Duration {
	total := map[string]time.Duration{}
	for _, m := range []*meter{&s.collecting, &s.deciding, &s.alarming, &s.persisting} {
		m.add(total)
	}
	return total
}
