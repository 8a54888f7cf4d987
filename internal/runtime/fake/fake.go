// Package fake is an engine without containers, for tests: tasks are entries in
// a map, start after a set delay, fail on demand, and consume a set share of
// their CPU in real time. It keeps the contract of package runtime.
//
// A container runs until it is stopped, and ends with 143 then, unless its
// command says otherwise:
//
//	exit CODE [MS]   ends with CODE, after MS milliseconds
//	print WORD...    prints a line for each word, and ends with 0
//	serve PORT       answers HTTP on its task's address with the task's ID
//	wait             prints "ready"
//	stubborn         prints "ready", and ignores its stop signal
//
// A command in a container (Exec) is one of exit, print, wait and stubborn, or
//
//	copy             copies its input to its output, and ends with 0
//	window           prints its terminal's rows and columns, and again when they change,
//	                 until its input is "end"
//
// A health check whose command ends in "exit 0" passes, and one that ends in
// "exit 1" fails; of others the health stays UNKNOWN until SetHealth.
package fake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

// Config sets how the engine behaves. The zero value is a machine of 64 CPUs
// and 256 GiB whose tasks start and stop at once and consume nothing.
type Config struct {
	StartDelay time.Duration // from Start to running
	StopDelay  time.Duration // from Stop to ended
	// Logs takes what containers print; nil drops it.
	Logs runtime.LogSink
	// ExitAtOnce has tasks end, with code 1, before Start returns.
	ExitAtOnce bool
	// CPU is the consumption of each running task: 1 is one vCPU.
	CPU float64
	// Memory is each running task's working set in bytes.
	Memory int64
	// CPUUnits and MemoryMiB are the machine's; 0 is 64 CPUs and 256 GiB.
	CPUUnits, MemoryMiB int
	// Network is where tasks get their addresses from, a /16; unset it is
	// 10.9.0.0/16. Tasks that serve need a part of 127.0.0.0/8.
	Network netip.Prefix
	// Architectures are those that run, the machine's own first; none is amd64.
	Architectures []model.Architecture
}

// Engine runs nothing and reports that it does. New creates one.
type Engine struct {
	events *runtime.Queue
	starts sync.WaitGroup // starts and commands under way

	mu      sync.Mutex
	cfg     Config                      // guarded by mu
	tasks   map[string]*entry           // guarded by mu
	fails   []error                     // guarded by mu; for the next starts
	broken  error                       // guarded by mu; for all starts
	images  map[string]string           // guarded by mu; digests by reference
	private map[string]model.Credential // guarded by mu; what opens references' registries
	nextIP  int                         // guarded by mu
	runs    []model.TaskSpec            // guarded by mu; every start asked for
	closed  bool                        // guarded by mu
}

var _ runtime.Engine = (*Engine)(nil)

// New returns an engine without tasks.
func New(cfg Config) *Engine {
	return &Engine{cfg: cfg, tasks: map[string]*entry{}, images: map[string]string{}, private: map[string]model.Credential{}, events: runtime.NewQueue()}
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

// SetImage makes a reference name the manifest with a digest, as a push does;
// "" makes it name none. A reference that was never set has a digest of its own.
func (e *Engine) SetImage(reference, digest string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.images[reference] = digest
}

// SetPrivate has a reference resolve only with a credential.
func (e *Engine) SetPrivate(reference string, cred model.Credential) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.private[reference] = cred
}

// Runs returns the specs of every start asked for, in order.
func (e *Engine) Runs() []model.TaskSpec {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.runs)
}

// Running returns the IDs of the tasks that run, sorted.
func (e *Engine) Running() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(e.tasks)) {
		if e.tasks[id].runs() {
			ids = append(ids, id)
		}
	}
	return ids
}

// Recover returns all tasks that have started and are not forgotten, by ID.
func (e *Engine) Recover(context.Context) ([]model.RunState, error) {
	e.events.Clear()
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []model.RunState
	for _, id := range slices.Sorted(maps.Keys(e.tasks)) {
		if t := e.tasks[id]; !t.starting() {
			all = append(all, t.state)
		}
	}
	return all, nil
}

// Events yields what happens to tasks.
func (e *Engine) Events(ctx context.Context) iter.Seq[runtime.Event] { return e.events.Events(ctx) }

// Resolve returns the digest that the image's reference names now.
func (e *Engine) Resolve(ctx context.Context, image runtime.Image) (string, error) {
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.resolveLocked(image)
}

func (e *Engine) resolveLocked(image runtime.Image) (string, error) {
	if image.Digest != "" {
		return image.Digest, nil
	}
	if want, private := e.private[image.Reference]; private && (image.Credential == nil || *image.Credential != want) {
		return "", model.Errorf(model.Invalid, runtime.CodePull, "pull %s: access denied", image.Reference)
	}
	digest, set := e.images[image.Reference]
	if set && digest == "" {
		return "", model.Errorf(model.NotFound, runtime.CodePull, "pull %s: not found", image.Reference)
	}
	if !set {
		sum := sha256.Sum256([]byte(image.Reference))
		digest = "sha256:" + hex.EncodeToString(sum[:])
	}
	return digest, nil
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

// Samples returns the consumption of all running tasks. No task uses more than
// its size.
func (e *Engine) Samples() []model.Sample {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	var all []model.Sample
	for _, id := range slices.Sorted(maps.Keys(e.tasks)) {
		if t := e.tasks[id]; t.runs() {
			all = append(all, model.Sample{TaskID: id, At: now, CPU: t.used(now), Memory: e.cfg.Memory})
		}
	}
	return all
}

// Usage returns what a running task has consumed, all of it by its first
// container.
func (e *Engine) Usage(id string) (model.TaskUsage, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.tasks[id]
	if t == nil || !t.runs() {
		return model.TaskUsage{}, false
	}
	now := time.Now()
	out := model.TaskUsage{TaskID: id, At: now, CPUs: 1, MachineCPU: now.Sub(time.Time{})}
	for i, c := range t.spec.Containers {
		one := model.ContainerUsage{Name: c.Name, Running: true, MemoryLimit: int64(t.spec.MemoryMiB) << 20}
		if i == 0 {
			one.CPU, one.Memory = t.used(now), e.cfg.Memory
		}
		out.Containers = append(out.Containers, one)
	}
	return out, true
}

// The machine of an engine that was not told another.
const (
	defaultCPUUnits  = 64 * 1024
	defaultMemoryMiB = 256 << 10
)

// Capabilities returns the size of the pretended machine.
func (e *Engine) Capabilities() runtime.Capabilities {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := runtime.Capabilities{
		CPUUnits: defaultCPUUnits, MemoryMiB: defaultMemoryMiB,
		Network: e.networkLocked(),
	}
	if e.cfg.CPUUnits > 0 {
		c.CPUUnits = e.cfg.CPUUnits
	}
	if e.cfg.MemoryMiB > 0 {
		c.MemoryMiB = e.cfg.MemoryMiB
	}
	return c
}

// Architectures returns those of the pretended machine.
func (e *Engine) Architectures() []model.Architecture {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.cfg.Architectures) > 0 {
		return slices.Clone(e.cfg.Architectures)
	}
	return []model.Architecture{model.AMD64}
}

// Serve waits for the end of ctx: everything happens without it.
func (e *Engine) Serve(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

var errClosed = model.Errorf(model.Unavailable, runtime.CodeResource, "the runtime is closing")

// Close aborts the starts under way and refuses more. Tasks run on.
func (e *Engine) Close(context.Context) error {
	e.mu.Lock()
	e.closed = true
	for _, t := range e.tasks {
		if t.starting() {
			t.abort(errClosed)
		}
		for _, c := range t.commands {
			c.end(errCommandClosed)
		}
	}
	e.mu.Unlock()
	e.starts.Wait()
	return nil
}

// Reopen makes the engine, which was closed, that of the next process.
func (e *Engine) Reopen() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = false
}

func (e *Engine) networkLocked() netip.Prefix {
	if e.cfg.Network.IsValid() {
		return e.cfg.Network
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, 0, 0}), 16)
}

// addressLocked returns an address that no task has had.
func (e *Engine) addressLocked() (ip, mac string) {
	e.nextIP++
	a := e.networkLocked().Addr().As4()
	a[2], a[3] = byte(e.nextIP/250), byte(e.nextIP%250+2)
	return netip.AddrFrom4(a).String(), fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3])
}
