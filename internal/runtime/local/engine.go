package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/netip"
	"os"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime"
	"neargate/internal/runtime/local/cgroup"
	"neargate/internal/runtime/local/confine"
	"neargate/internal/runtime/local/network"
	"neargate/internal/runtime/local/seccomp"
	"neargate/internal/runtime/local/supervisor"
)

// releaseLimit bounds each wait for the kernel to let go of what an ended task
// had, and for the sink to take its last output.
const releaseLimit = 10 * time.Second

// Engine runs the tasks of one data directory. Its methods are safe for use by
// several goroutines.
type Engine struct {
	cfg    Config
	images images
	logs   runtime.LogSink
	log    *slog.Logger
	events *runtime.Queue

	// Immutable after Open.
	id       string
	owner    *os.File // the instance's lock
	layout   *cgroup.Layout
	net      *network.Network
	discreet discretion
	filter   []byte            // the seccomp program
	apparmor *confine.AppArmor // nil: tasks have no profile
	starts   chan struct{}

	memoryMiB int                    // of the machine
	program   atomic.Pointer[string] // the lighter one for supervisors; nil: there is none yet

	passed   atomic.Bool // another process takes over
	watchers sync.WaitGroup
	forwards sync.WaitGroup // those that send output to log routers
	closing  chan struct{}
	close    sync.Once

	saving sync.Mutex    // of the instance's file
	saved  network.State // guarded by saving; what this process has written

	mu    sync.Mutex
	tasks map[string]*task
	at    map[netip.Addr]*task // those whose containers may run, by address
}

// Open takes the data directory over: it becomes its owner, creates the network,
// finds the tasks that still run and those that ended while nobody looked, and
// removes half-made ones. It also cleans up after dead ephemeral instances. It
// fails with a *Missing where containers cannot lie in the data directory (what
// else a machine may lack is for Check, which comes before), and when another
// process owns that directory.
func Open(ctx context.Context, cfg Config, images images, logs runtime.LogSink, log *slog.Logger) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("open runtime: %w", err)
	}
	if err := checkDirectory(ctx, runtimeDir(cfg.DataDir)); err != nil {
		return nil, err
	}
	cfg.Domain = cmp.Or(cfg.Domain, "ec2.internal")
	cfg.Binfmt = cmp.Or(cfg.Binfmt, "/proc/sys/fs/binfmt_misc")
	e := &Engine{
		cfg: cfg, images: images, logs: logs, log: log, events: runtime.NewQueue(), discreet: newDiscretion(cfg.DataDir),
		closing: make(chan struct{}), tasks: map[string]*task{}, at: map[netip.Addr]*task{},
		// A start is CPU all through; more at once than this only wait for each other.
		starts: make(chan struct{}, 2+2*goruntime.GOMAXPROCS(0)),
	}
	var err error
	if e.memoryMiB, err = memoryMiB(); err != nil {
		return nil, fmt.Errorf("open runtime: read the machine's memory: %w", err)
	}
	if err := e.checkLabels(); err != nil {
		return nil, err
	}
	if e.layout, err = cgroup.Detect(); err != nil {
		return nil, fmt.Errorf("open runtime: %w", err)
	}
	if e.filter, err = seccomp.Default(supervisor.Capabilities()); err != nil {
		return nil, fmt.Errorf("open runtime: %w", err)
	}
	if err := e.register(ctx); err != nil {
		return nil, fmt.Errorf("open runtime: %w", err)
	}
	e.watchers.Go(func() { e.lighten(ctx) })
	if err := e.adoptAll(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open runtime: %w", err), e.Close(ctx))
	}
	return e, nil
}

// register makes this process the owner of the instance and its network.
func (e *Engine) register(ctx context.Context) error {
	machine, err := lockMachine()
	if err != nil {
		return err
	}
	defer func() { _ = machine.Close() }()
	in, known, err := loadInstance(e.cfg.DataDir, e.log)
	if err == nil {
		in, known, err = e.settle(in, known)
	}
	if err != nil {
		return err
	}
	sweep(ctx, e.log, in.ID)
	if e.owner, err = lockInstance(in.ID); err != nil {
		return err
	}
	e.id = in.ID
	if err = e.enter(in.Network); err == nil {
		err = e.openNetwork(in, known)
	}
	if err == nil {
		err = e.enter(e.net.State())
	}
	if err == nil {
		e.openProfile(ctx)
	}
	if err != nil {
		_ = e.owner.Close()
	}
	return err
}

// enter writes the instance's entry in runDir, before anything of it is on the
// machine, and again when its network is known.
func (e *Engine) enter(st network.State) error {
	return writeJSON(entryFile(e.id), entry{DataDir: e.cfg.DataDir, Ephemeral: e.cfg.Ephemeral, PID: os.Getpid(), Network: st})
}

// openNetwork opens the network of an instance; known reports whether its file
// is in order. Nothing is written to the disk when nothing has changed: a server
// comes up also when the disk is full.
func (e *Engine) openNetwork(in instance, known bool) error {
	var err error
	e.net, err = network.Open(network.Config{
		ID: in.ID, State: in.Network, Occupied: len(supervisors(in.ID, "")) > 0,
		Reach: e.cfg.Reach, Resolvers: resolvers(), OnTaken: e.taken,
		Lock: func() (io.Closer, error) { return lockMachine() },
	})
	if err != nil {
		return lacksNetwork(err, in.ID)
	}
	if old := in.Network.Subnet; old.IsValid() && old != e.net.Subnet() {
		e.log.Warn("tasks get addresses of another network: this machine has come to use theirs", "was", old, "is", e.net.Subnet())
	}
	if now := e.net.State(); !known || now.Subnet != in.Network.Subnet {
		if err := saveInstance(e.cfg.DataDir, instance{ID: e.id, Network: now}); err != nil {
			return err
		}
	}
	if err := network.EnableForwarding(forwardingMark); err != nil {
		e.log.Warn("tasks cannot reach each other nor beyond this machine", "error", err)
	}
	if chain := network.DroppedBy(); chain != "" {
		e.log.Warn("another program's packet filter drops what tasks send to each other and beyond this machine",
			"chain", chain, "hint", "iptables -I DOCKER-USER -i ng-+ -j ACCEPT; iptables -I DOCKER-USER -o ng-+ -j ACCEPT (without Docker: FORWARD)")
	}
	return nil
}

// taken tells of a subnet whose tasks are in the instance's own network.
func (e *Engine) taken(t network.Taken) {
	e.log.Warn("tasks of a subnet get addresses of this server's own network: the machine has another use for the subnet's range",
		"subnet", t.Subnet.ID, "range", t.Subnet.CIDR, "overlaps", t.By, "of", t.Of)
}

// lacksNetwork adds to what a person can mend how to do so.
func lacksNetwork(err error, id string) error {
	if o, ok := errors.AsType[*network.Overlap](err); ok {
		return &Missing{o.Error(), "take the network off " + o.Link + ", or end the tasks first: pkill -f 'task-supervisor " + id + "'"}
	}
	return err
}

// saveNetwork keeps on disk that an address has been given out, unless the file
// is ahead of that already.
func (e *Engine) saveNetwork() error { return e.keepAhead(e.net.State()) }

func (e *Engine) keepAhead(now network.State) error {
	e.saving.Lock()
	defer e.saving.Unlock()
	next := now
	for range addressesAhead {
		if next == e.saved {
			return nil
		}
		next = ahead(next)
	}
	if err := saveInstance(e.cfg.DataDir, instance{ID: e.id, Network: next}); err != nil {
		return err
	}
	e.saved = next
	return nil
}

// Close lets go of the tasks, which run on and ask the machine's resolver about
// names, and of the data directory. When no
// task is left, nothing of the instance stays on the machine but the data
// directory; that is done also when ctx has ended. Call it after Serve has
// returned.
func (e *Engine) Close(ctx context.Context) error {
	var err error
	e.close.Do(func() {
		e.mu.Lock()
		close(e.closing)
		e.mu.Unlock()
		for _, t := range e.all() {
			t.letGo()
		}
		e.watchers.Wait()
		running := false
		for _, t := range e.all() {
			running = running || t.state().Running
			t.closeFiles()
		}
		switch {
		case e.passed.Load():
		case running:
			err = e.net.HandOver()
		default:
			err = e.leave(ctx)
		}
		err = errors.Join(err, e.owner.Close())
	})
	return err
}

// Pass has Close leave the instance's network and ports for another process:
// runtime.Passer.
func (e *Engine) Pass() { e.passed.Store(true) }

// leave removes what the instance has on the machine.
func (e *Engine) leave(ctx context.Context) error {
	machine, err := lockMachine()
	if err != nil {
		return err
	}
	defer func() { _ = machine.Close() }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseLimit)
	defer cancel()
	if err := errors.Join(removeCgroups(ctx, e.id), network.Remove(ctx, e.id)); err != nil {
		return err
	}
	if e.cfg.Ephemeral {
		return nil // Cleanup reads the entry
	}
	return deregister(e.id)
}

func (e *Engine) all() []*task {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]*task, 0, len(e.tasks))
	for _, t := range e.tasks {
		out = append(out, t)
	}
	return out
}

func (e *Engine) task(id string) *task {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tasks[id]
}

func (e *Engine) closed() bool {
	select {
	case <-e.closing:
		return true
	default:
		return false
	}
}

// Recover returns all tasks, and drops the events that these states contain.
func (e *Engine) Recover(context.Context) ([]model.RunState, error) {
	e.events.Clear()
	var out []model.RunState
	for _, t := range e.all() {
		if t.hasStarted() {
			out = append(out, t.state())
		}
	}
	return out, nil
}

// Events yields what happens to tasks.
func (e *Engine) Events(ctx context.Context) iter.Seq[runtime.Event] { return e.events.Events(ctx) }

// Forget drops what is left of an ended task.
func (e *Engine) Forget(ctx context.Context, id string) error {
	t := e.task(id)
	if t == nil {
		return nil
	}
	if !t.hasEnded() {
		return model.Errorf(model.Conflict, runtime.CodeResource, "forget task %s: it has not ended", id)
	}
	e.drop(t)
	e.events.Drop(id)
	if err := removeTask(ctx, t.dir); err != nil {
		return fmt.Errorf("forget task %s: %w", id, err)
	}
	return nil
}

func (e *Engine) drop(t *task) {
	e.mu.Lock()
	delete(e.tasks, t.id)
	e.mu.Unlock()
	t.closeFiles()
}

// Samples returns the consumption of all running tasks now.
func (e *Engine) Samples() []model.Sample {
	now := time.Now()
	var out []model.Sample
	for _, t := range e.all() {
		if s, ok := t.sample(now); ok {
			out = append(out, s)
		}
	}
	return out
}
