// Package fake is a runtime engine without containers, for tests: tasks are
// entries in a map, start after a set delay, fail on demand, and consume a set
// share of their CPU in virtual time.
//
// It keeps the contract of the real engines: Run returns when the task runs,
// Stop when it is gone, and OnExit is called once for each task that ran. It
// is safe for concurrent use.
package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"neargate/internal/model"
)

// Config sets how the engine behaves.
type Config struct {
	StartDelay time.Duration // from Run to running
	StopDelay  time.Duration // from Stop to gone
	// OnExit is called once when a task that ran has ended; it must not call
	// the engine. nil: nobody is told.
	OnExit func(model.RunState)
	// ExitAtOnce has tasks end, with code 1, before Run returns.
	ExitAtOnce bool
	// CPU is the consumption of each running task: 1 is one vCPU.
	CPU float64
	// Memory is each running task's working set in bytes.
	Memory int64
}

// Engine runs nothing and says it does. Make it with New.
type Engine struct {
	mu     sync.Mutex
	cfg    Config            // guarded by mu
	tasks  map[string]*entry // guarded by mu
	fails  []error           // guarded by mu; for the next starts
	broken error             // guarded by mu; for all starts
	nextIP int               // guarded by mu
	runs   []model.TaskSpec  // guarded by mu; every start asked for
}

type entry struct {
	spec  model.TaskSpec
	state model.RunState
	cpu   time.Duration // consumed until since
	since time.Time
	share float64 // vCPUs
}

// New makes an engine without tasks.
func New(cfg Config) *Engine {
	return &Engine{cfg: cfg, tasks: map[string]*entry{}}
}

// Set changes the configuration.
func (e *Engine) Set(change func(*Config)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(&e.cfg)
}

// FailNext has the next starts end with errs, one each; nil entries succeed.
func (e *Engine) FailNext(errs ...error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fails = append(e.fails, errs...)
}

// Break has every start end with err until Break(nil).
func (e *Engine) Break(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.broken = err
}

// Runs gives the specs of every start asked for, in order.
func (e *Engine) Runs() []model.TaskSpec {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.runs)
}

// Running gives the IDs of the tasks that run, sorted.
func (e *Engine) Running() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(e.tasks)) {
		if e.tasks[id].state.Running {
			ids = append(ids, id)
		}
	}
	return ids
}

// Run starts a task after the start delay.
func (e *Engine) Run(ctx context.Context, spec model.TaskSpec) (model.RunState, error) {
	begin := time.Now()
	delay, err := e.begin(spec)
	if waitErr := wait(ctx, delay); waitErr != nil {
		return model.RunState{}, fmt.Errorf("start task %s: %w", spec.ID, waitErr)
	}
	if err != nil {
		return model.RunState{}, err
	}
	state, over := e.admit(spec, begin)
	if over {
		e.end(spec.ID, 1, "")
		e.mu.Lock()
		defer e.mu.Unlock()
		state = e.tasks[spec.ID].state
	}
	return state, nil
}

// admit makes the task run. over says that it is to end at once.
func (e *Engine) admit(spec model.TaskSpec, begin time.Time) (state model.RunState, over bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	e.nextIP++
	state = model.RunState{
		ID: spec.ID, Labels: spec.Labels, Running: true,
		IP: fmt.Sprintf("10.9.%d.%d", e.nextIP/250, e.nextIP%250+2), MAC: fmt.Sprintf("02:00:0a:09:%02x:%02x", e.nextIP/250, e.nextIP%250+2),
		PullStartedAt: begin, PullStoppedAt: now, StartedAt: now,
	}
	for _, c := range spec.Containers {
		state.Containers = append(state.Containers, model.ContainerState{
			Name: c.Name, ImageDigest: "sha256:" + spec.ID + spec.ID, RuntimeID: spec.ID + "-0000000001", Running: true, Health: "UNKNOWN",
		})
	}
	e.tasks[spec.ID] = &entry{spec: spec, state: state, since: now, share: e.cfg.CPU}
	return state, e.cfg.ExitAtOnce
}

// begin notes the start and takes its outcome.
func (e *Engine) begin(spec model.TaskSpec) (time.Duration, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.runs = append(e.runs, spec)
	err := e.broken
	if len(e.fails) > 0 {
		err, e.fails = e.fails[0], e.fails[1:]
	}
	return e.cfg.StartDelay, err
}

// Stop ends a task as by SIGTERM. An unknown ID is no error.
func (e *Engine) Stop(ctx context.Context, id string, _ time.Duration) error {
	e.mu.Lock()
	delay := e.cfg.StopDelay
	e.mu.Unlock()
	if err := wait(ctx, delay); err != nil {
		return fmt.Errorf("stop task %s: %w", id, err)
	}
	e.end(id, 143, "")
	return nil
}

// Exit ends a running task as if its containers had ended with code.
func (e *Engine) Exit(id string, code int, reason string) { e.end(id, code, reason) }

func (e *Engine) end(id string, code int, reason string) {
	e.mu.Lock()
	t, ok := e.tasks[id]
	if !ok || !t.state.Running {
		e.mu.Unlock()
		return
	}
	now := time.Now()
	t.cpu, t.since = t.used(now), now
	t.state.Running, t.state.StoppedAt = false, now
	t.state.Containers = slices.Clone(t.state.Containers)
	for i := range t.state.Containers {
		t.state.Containers[i].Running, t.state.Containers[i].ExitCode, t.state.Containers[i].Reason = false, &code, reason
	}
	state, tell := t.state, e.cfg.OnExit
	e.mu.Unlock()
	if tell != nil {
		tell(state)
	}
}

// SetHealth sets the container health of a running task and gives its state.
func (e *Engine) SetHealth(id, health string) model.RunState {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.tasks[id]
	t.state.Containers = slices.Clone(t.state.Containers)
	for i := range t.state.Containers {
		t.state.Containers[i].Health = health
	}
	return t.state
}

// List gives all tasks that have not been forgotten, by ID.
func (e *Engine) List(context.Context) ([]model.RunState, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []model.RunState
	for _, id := range slices.Sorted(maps.Keys(e.tasks)) {
		all = append(all, e.tasks[id].state)
	}
	return all, nil
}

// Forget drops an ended task.
func (e *Engine) Forget(_ context.Context, id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t, ok := e.tasks[id]; ok && t.state.Running {
		return fmt.Errorf("forget task %s: it runs", id)
	}
	delete(e.tasks, id)
	return nil
}

// SetCPU sets what one task consumes from now on, in vCPUs.
func (e *Engine) SetCPU(id string, vcpus float64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t, ok := e.tasks[id]; ok {
		now := time.Now()
		t.cpu, t.since, t.share = t.used(now), now, vcpus
	}
}

// Samples gives the consumption of all running tasks. No task uses more than
// its size.
func (e *Engine) Samples() []model.Sample {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	var all []model.Sample
	for _, id := range slices.Sorted(maps.Keys(e.tasks)) {
		if t := e.tasks[id]; t.state.Running {
			all = append(all, model.Sample{TaskID: id, At: now, CPU: t.used(now), Memory: e.cfg.Memory})
		}
	}
	return all
}

func (t *entry) used(now time.Time) time.Duration {
	share := min(t.share, float64(t.spec.CPUUnits)/1024)
	return t.cpu + time.Duration(share*float64(now.Sub(t.since)))
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
