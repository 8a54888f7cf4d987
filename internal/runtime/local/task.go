package local

import (
	"context"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime"
	"neargate/internal/runtime/local/cgroup"
	"neargate/internal/runtime/local/confine"
	"neargate/internal/runtime/local/logfile"
	"neargate/internal/runtime/local/network"
	"neargate/internal/runtime/local/supervisor"
	"neargate/internal/tree"
)

// record is what the engine keeps of a task on disk while it runs.
type record struct {
	Spec                         model.TaskSpec
	Address                      netip.Addr
	Subnet                       string // the ID of the one that it is from; "": the instance's own network
	LinkTail                     string // by which the network knows its link
	Labels                       confine.Labels
	Digests                      []string // by container
	PullStartedAt, PullStoppedAt time.Time
}

// task is the engine's side of one task.
type task struct {
	id       string
	dir      string
	discreet discretion

	rec      record // written by Start alone, before started is closed
	releases []func()
	ordered  bool // the supervisor has its order; Start's alone

	recovered bool // it had ended when the engine was opened: Recover has its end

	started chan struct{} // closed when the supervisor has reported that all containers run
	ended   chan struct{} // closed when the task has ended and all is released
	// unwatched is closed when nobody follows the supervisor's reports any more.
	unwatched chan struct{}
	undone    chan struct{} // closed when a start that failed has been undone

	mu      sync.Mutex
	process *exec.Cmd // nil when the supervisor was taken over
	conn    net.Conn  // to the supervisor
	report  supervisor.Report
	final   *model.RunState // once ended
	failure *model.Error
	meter   *cgroup.Meter
	abort   context.CancelCauseFunc // ends Start; nil once Start has returned the task
	// stopTimeout is that of the Stop that ended Start.
	stopTimeout time.Duration
	// commands counts those that run, by container.
	commands map[string]int

	followMu   sync.Mutex
	follows    []*follow
	forwarders []*forwarder
}

// follow is one container's output on its way to the sink.
type follow struct {
	group, stream string
	reader        *logfile.Reader
	begins        *regexp.Regexp // the first line of an event; nil: each line is one
	failing       bool           // the sink refused, and that has been said
	lost          bool           // the sink panicked: no more is offered
}

func (e *Engine) newTask(id string) *task {
	return &task{
		id: id, dir: filepath.Join(e.tasksDir(), id), discreet: e.discreet, commands: map[string]int{},
		started: make(chan struct{}), ended: make(chan struct{}), unwatched: make(chan struct{}), undone: make(chan struct{}),
	}
}

func recordFile(dir string) string { return filepath.Join(dir, "task.json") }
func finalFile(dir string) string  { return filepath.Join(dir, "final.json") }

// supervisorLog is where a supervisor writes what nobody expected.
func supervisorLog(dir string) string { return filepath.Join(dir, "supervisor.log") }

func firstLine(text []byte) string {
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

func (t *task) hasStarted() bool {
	select {
	case <-t.started:
		return true
	default:
		return false
	}
}

func (t *task) hasEnded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.final != nil
}

// startFailure is why the supervisor could not start the task; nil: it did not
// fail.
func (t *task) startFailure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.report.Failure == "":
		return nil
	case t.report.FailedContainer != "":
		return &runtime.ContainerError{Container: t.report.FailedContainer, Err: t.failure}
	}
	return t.failure
}

// state is the task as others see it.
func (t *task) state() model.RunState {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.final != nil {
		return *t.final
	}
	return t.stateLocked()
}

func (t *task) stateLocked() model.RunState {
	s := model.RunState{
		ID: t.id, Labels: t.rec.Spec.Labels, Running: true,
		PullStartedAt: t.rec.PullStartedAt, PullStoppedAt: t.rec.PullStoppedAt,
		StartedAt: t.report.StartedAt, StoppingAt: t.report.StoppingAt, Failure: t.failure,
	}
	if t.rec.Address.IsValid() {
		s.IP, s.MAC, s.Subnet = t.rec.Address.String(), network.MAC(t.rec.Address).String(), t.rec.Subnet
	}
	for i, c := range t.rec.Spec.Containers {
		cs := model.ContainerState{Name: c.Name, RuntimeID: model.RuntimeID(t.id, i), Health: "UNKNOWN"}
		if i < len(t.rec.Digests) {
			cs.ImageDigest = t.rec.Digests[i]
		}
		if i < len(t.report.Containers) {
			r := t.report.Containers[i]
			cs.Running, cs.ExitCode, cs.Reason, cs.Health = r.Running, r.ExitCode, r.Reason, r.Health
			cs.RestartCount = r.RestartCount
			cs.CreatedAt, cs.StartedAt, cs.FinishedAt = r.CreatedAt, r.StartedAt, r.EndedAt
		}
		s.Containers = append(s.Containers, cs)
	}
	return s
}

// sample reads the task's consumption; ok is false when it does not run.
func (t *task) sample(now time.Time) (model.Sample, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.meter == nil || t.final != nil {
		return model.Sample{}, false
	}
	u, err := t.meter.Read()
	if err != nil { // its cgroup has just gone
		return model.Sample{}, false
	}
	return model.Sample{TaskID: t.id, At: now, CPU: u.CPU - t.report.PreparedCPU, Throttled: u.Throttled, Memory: u.Memory}, true
}

// abortStart ends a Start that is under way, which then undoes what there is;
// timeout is that of a Stop. It returns false when none is.
func (t *task) abortStart(cause error, timeout time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.abort == nil {
		return false
	}
	t.stopTimeout = timeout
	t.abort(cause)
	return true
}

// letGo ends the connection to the supervisor, which runs on. A Start under way
// is aborted.
func (t *task) letGo() {
	if t.abortStart(errClosing, 0) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn != nil {
		_ = t.conn.Close()
	}
}

// closeFiles closes what the engine has open of the task.
func (t *task) closeFiles() {
	t.mu.Lock()
	if t.meter != nil {
		t.meter.Close()
		t.meter = nil
	}
	t.mu.Unlock()
	t.followMu.Lock()
	defer t.followMu.Unlock()
	t.unfollowLocked()
	for _, f := range t.forwarders {
		f.close(false)
	}
	t.forwarders = nil
}

func (t *task) unfollowLocked() {
	for _, f := range t.follows {
		f.reader.Close()
	}
	t.follows = nil
}

// removeTask removes files of a task. It is not given up: what is left of a task
// would be there for good.
func removeTask(ctx context.Context, dir string) error {
	return tree.Remove(context.WithoutCancel(ctx), dir)
}
