package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"neargate/internal/runtime/local/cgroup"
)

// task is the supervisor's one task. Everything belongs to the goroutine in run;
// what happens elsewhere comes in by channel.
//
// A container is pending, then started, then ended:
//
//	pending ──dependencies met──▶ running ──exit──▶ ended
//	   └───────────the task is stopping─────────────▲
type task struct {
	order   *Order
	hub     *hub
	layout  *cgroup.Layout
	members []*member
	exits   chan exit
	healths chan healthChange
	helpers sync.WaitGroup

	report   Report
	stopping bool
	why      string        // of the end of what was killed; "" is the kernel's word
	timeout  time.Duration // for containers without a StopTimeout
	limited  bool          // the CPU quota is in force

	shared *holder // of the pid namespace that the containers share; nil: they share none
}

type member struct {
	spec      *Container
	home      *home
	report    *ContainerReport
	signal    unix.Signal
	container *container // nil before it has been started and after it has ended
	started   bool
	startedAt time.Time // the last time
	ended     bool
	endedAt   time.Time
	signalled bool
	killAt    time.Time // when SIGKILL follows; zero: not yet, or done
	endChecks context.CancelFunc
}

type exit struct {
	m      *member
	code   int
	reason string
}

type healthChange struct {
	m      *member
	of     *container // another may run in its place when the change is seen
	health string
}

func newTask(o *Order, h *hub) *task {
	t := &task{order: o, hub: h, exits: make(chan exit), healths: make(chan healthChange), timeout: StopLimit}
	t.report.Phase = Starting
	t.report.Containers = make([]ContainerReport, len(o.Containers))
	for i := range o.Containers {
		t.report.Containers[i] = ContainerReport{Name: o.Containers[i].Name, Health: "UNKNOWN"}
		t.members = append(t.members, &member{spec: &o.Containers[i], report: &t.report.Containers[i]})
	}
	return t
}

// run starts the containers and returns when the last of them has ended.
func (t *task) run(ctx context.Context) error {
	t.tell()
	if err := t.prepare(); err != nil {
		t.fail(err)
	} else {
		t.heedStop()
		t.loop(ctx)
	}
	t.helpers.Wait()
	if t.shared != nil {
		t.shared.end()
	}
	t.closeLogs()
	t.beginEnd()
	t.report.Phase, t.report.EndedAt = Ended, time.Now()
	t.tell()
	return nil // the report has told it
}

// fail has the task stop, because it cannot be started for a reason: what runs
// already ends as in any other stop.
func (t *task) fail(err error) {
	t.report.Failure = err.Error()
	_, t.report.Waited = errors.AsType[*vainWaitError](err)
	if c, ok := errors.AsType[*memberError](err); ok {
		t.report.FailedContainer = c.container
	}
	t.beginEnd()
	t.tell()
}

// memberError is an error that one container is to blame for.
type memberError struct {
	container string
	err       error
}

func (e *memberError) Error() string { return e.err.Error() }

func (e *memberError) Unwrap() error { return e.err }

// blame returns an error of the container, nil where err is.
func (m *member) blame(err error) error {
	if err == nil {
		return nil
	}
	return &memberError{m.spec.Name, err}
}

// beginEnd has the task end, whatever ends it.
func (t *task) beginEnd() {
	if !t.stopping {
		t.stopping, t.report.StoppingAt = true, time.Now()
	}
}

// heedStop takes a stop that came before any container was started: none is then.
func (t *task) heedStop() {
	select {
	case s := <-t.hub.stops:
		t.stop(s)
	default:
	}
}

// stop has the task stop.
func (t *task) stop(s *Stop) {
	t.beginEnd()
	if s.Timeout > 0 {
		t.timeout = s.Timeout
	}
}

// prepare makes what all containers share.
func (t *task) prepare() error {
	layout, err := cgroup.Detect()
	if err != nil {
		return err
	}
	t.layout = layout
	for _, m := range t.members {
		if m.signal, err = stopSignal(m.spec.StopSignal); err != nil {
			return m.blame(err)
		}
		if err := pinMemlock(m.spec); err != nil {
			return m.blame(err)
		}
	}
	if err := writeEtc(t.order); err != nil {
		return err
	}
	if err := writeFiles(t.order); err != nil {
		return err
	}
	if err := t.furnish(); err != nil {
		return err
	}
	if err := configureNetwork(t.order); err != nil {
		return err
	}
	if err := setSysctls(t.order); err != nil {
		return err
	}
	return t.sharePIDs()
}

// furnish makes the containers' root file systems and volumes.
func (t *task) furnish() (err error) {
	var roots []string
	for _, m := range t.members {
		if m.home, err = makeHome(t.order, m.spec); err != nil {
			return m.blame(err)
		}
		roots = append(roots, m.home.root)
	}
	if err := makeVolumes(t.order); err != nil {
		return err
	}
	if err := mountShared(t.order, roots); err != nil {
		return err
	}
	return fillVolumes(t.order, roots)
}

// loop moves the task on whenever something happened, until nothing runs.
func (t *task) loop(ctx context.Context) {
	done := ctx.Done()
	full, used := make(chan string, 1), make(chan int64)
	limits, endLimits := context.WithCancel(context.WithoutCancel(ctx)) // until the task ends
	defer endLimits()
	t.helpers.Go(func() {
		if why := limitDisk(limits, t.order, used); why != "" {
			full <- why
		}
	})
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if !t.stopping {
			if err := t.startReady(ctx); err != nil {
				t.fail(err)
			}
		}
		if t.stopping {
			t.stopReady()
		}
		if !t.anyRunning() && (t.stopping || !t.anyPending()) {
			return
		}
		timer.Reset(t.untilLate())
		select {
		case e := <-t.exits:
			if t.mayRestart(e) {
				t.restart(ctx, e)
			} else {
				t.onExit(e)
			}
		case h := <-t.healths:
			if h.m.container == h.of {
				h.m.report.Health = h.health
				t.tell()
			}
		case s := <-t.hub.stops:
			t.stop(s)
		case k := <-t.hub.kills:
			t.kill(k.Reason)
		case c := <-t.hub.calls:
			t.exec(c) //nolint:contextcheck // it ends with its client, its container or the task
		case t.report.DiskUsed = <-used:
			t.tell()
		case why := <-full:
			t.kill(why)
		case <-done:
			t.beginEnd()
			done = nil
		case <-timer.C:
			t.killLate()
		}
	}
}

// kill ends all containers at once, for a reason.
func (t *task) kill(why string) {
	t.beginEnd()
	t.why = why
	t.killAll()
}

// startReady starts every container whose dependencies are met.
func (t *task) startReady(ctx context.Context) error {
	for again := true; again; {
		again = false
		for _, m := range t.members {
			if m.started || m.ended {
				continue
			}
			ready, err := t.ready(m)
			if err != nil {
				return err
			}
			if ready {
				if err := t.start(ctx, m); err != nil {
					return m.blame(err)
				}
				again = true
			}
		}
	}
	if t.report.Phase == Starting && !t.anyPending() {
		t.report.Phase, t.report.StartedAt = Running, time.Now()
		t.tell()
	}
	return nil
}

func (t *task) start(ctx context.Context, m *member) error {
	if m.report.CreatedAt.IsZero() {
		m.report.CreatedAt = time.Now()
	}
	c, err := startContainer(m.home, t.layout, t.limitCPU)
	if err != nil {
		return err
	}
	m.container, m.started, m.startedAt = c, true, time.Now()
	m.report.Started, m.report.Running = true, true
	m.report.StartedAt = m.startedAt
	t.helpers.Go(func() {
		code, reason := c.wait()
		t.exits <- exit{m, code, reason}
	})
	if m.spec.Check != nil {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // until the container ends
		m.endChecks = cancel
		t.helpers.Go(func() { c.check(ctx, func(health string) { t.changeHealth(ctx, healthChange{m, c, health}) }) })
	}
	return nil
}

func (t *task) changeHealth(ctx context.Context, change healthChange) {
	select {
	case t.healths <- change:
	case <-ctx.Done():
	}
}

// limitCPU puts the task's quota in force. Only the user's programs shall pay
// for their CPU, not the making of the containers, which takes a good part of a
// small task's period.
func (t *task) limitCPU() error {
	if t.limited || t.order.CPUQuota <= 0 {
		return nil
	}
	t.limited = true
	meter, err := t.layout.Meter(t.order.CgroupPath)
	if err != nil {
		return err
	}
	defer meter.Close()
	usage, err := meter.Read()
	if err != nil {
		return err
	}
	t.report.PreparedCPU = usage.CPU
	return t.layout.LimitCPU(t.order.CgroupPath, t.order.CPUQuota, t.order.CPUPeriod)
}

func (t *task) onExit(e exit) {
	e.m.container, e.m.ended, e.m.endedAt = nil, true, time.Now()
	if e.reason == "" && e.code == 128+int(unix.SIGKILL) {
		e.reason = t.why
	}
	e.m.report.Running, e.m.report.ExitCode, e.m.report.Reason = false, &e.code, e.reason
	e.m.report.EndedAt = e.m.endedAt
	if e.m.endChecks != nil {
		e.m.endChecks()
	}
	if e.m.spec.Essential {
		if !t.stopping {
			t.report.EndedBy = e.m.spec.Name
		}
		t.beginEnd()
	}
	t.tell()
}

func (t *task) closeLogs() {
	for _, m := range t.members {
		if m.home == nil {
			continue
		}
		if err := m.home.log.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "end log:", err)
		}
	}
}

// tell publishes the report and keeps it on disk.
func (t *task) tell() {
	r := t.report
	r.Containers = append([]ContainerReport(nil), r.Containers...)
	data, err := json.Marshal(r)
	if err == nil {
		err = saveReport(t.order.Dir, data)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	t.hub.publish(r)
}

func (t *task) anyRunning() bool {
	for _, m := range t.members {
		if m.container != nil {
			return true
		}
	}
	return false
}

func (t *task) anyPending() bool {
	for _, m := range t.members {
		if !m.started {
			return true
		}
	}
	return false
}
