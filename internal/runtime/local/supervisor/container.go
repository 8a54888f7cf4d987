package supervisor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/opencontainers/runc/libcontainer"
	"golang.org/x/sys/unix"

	"neargate/internal/runtime/local/cgroup"
	"neargate/internal/runtime/local/logfile"
)

// outputGrace is how long a dead container's output may stay open: another
// container of the task can hold it.
const outputGrace = time.Second

// container is one container while it runs.
type container struct {
	order   *Order
	spec    *Container
	layout  *cgroup.Layout
	handle  *libcontainer.Container
	process *libcontainer.Process
	pids    string  // its pid namespace, where that is its own
	joins   *holder // of the pid namespace that it is in; nil: it has its own
	own     *holder // joins, where no other container does
	log     *logfile.Writer
	outputs []*os.File    // our ends of what it prints to
	drained chan struct{} // closed when all of them have ended
	stdin   io.Closer     // kept open while it runs; nil: it has none
	first   firstWords    // what it printed first to standard error

	execs   atomic.Int64 // commands so far
	joining sync.Mutex
	joined  map[int]bool // guarded by joining; processes started later that run
}

// startContainer takes a container to the point where its program runs.
// beforeExec is called when all is prepared, just before the program takes over.
func startContainer(h *home, layout *cgroup.Layout, beforeExec func() error) (*container, error) {
	o, spec := h.order, h.spec
	c := &container{order: o, spec: spec, layout: layout, log: h.log, drained: make(chan struct{}), joined: map[int]bool{}}
	var err error
	if c.process, err = makeProcess(o, spec, h.root); err != nil {
		return nil, err
	}
	c.process.Init = true
	if err := c.holdPIDs(h); err != nil {
		return nil, err
	}
	if c.handle, err = libcontainer.Create(containerDir(o.Dir, spec.Name), "state", makeConfig(h, c.pidsPath())); err != nil {
		c.endPIDs()
		return nil, fmt.Errorf("create container: %w", err)
	}
	if err := c.launch(beforeExec); err != nil {
		c.abandon()
		return nil, err
	}
	return c, nil
}

func makeProcess(o *Order, spec *Container, root string) (*libcontainer.Process, error) {
	if len(spec.Args) == 0 {
		return nil, errors.New("no command specified")
	}
	u, err := resolveUser(root, spec.User)
	if err != nil {
		return nil, err
	}
	limits, err := makeRlimits(spec.Ulimits)
	if err != nil {
		return nil, err
	}
	cwd := spec.WorkingDir
	if cwd == "" {
		cwd = "/"
	}
	return &libcontainer.Process{
		Args: spec.Args, Env: makeEnv(o, spec), Cwd: cwd,
		UID: u.Uid, GID: u.Gid, AdditionalGroups: u.Sgids,
		Rlimits: limits,
	}, nil
}

// launch starts the container's process, which is this same program first. When
// it stands ready to become the user's program, the filter is put on it.
func (c *container) launch(beforeExec func() error) error {
	gate, child, err := newGate()
	if err != nil {
		close(c.drained)
		return err
	}
	defer gate.close()
	c.process.ExtraFiles = []*os.File{child}
	err = c.run()
	_ = child.Close()
	if err != nil {
		return err
	}
	if first, err := c.process.Pid(); err == nil {
		c.pids = pidNamespace(first)
	}
	if err := gate.install(c.order.Filter); err != nil {
		return err
	}
	if err := beforeExec(); err != nil {
		return err
	}
	if err := c.handle.Exec(); err != nil {
		return cleanError(err)
	}
	return nil
}

// wait waits for the container's end, releases all it had and returns how it went.
func (c *container) wait() (code int, reason string) {
	became := c.becameProgram()
	state, err := wait(c.process)
	code = 255
	if state != nil {
		if status, ok := state.Sys().(syscall.WaitStatus); ok {
			code = exitCode(status)
		}
	} else if err != nil {
		reason = "wait for container: " + err.Error()
	}
	kills, err := c.layout.OOMKills(cgroupOf(c.order, c.spec))
	if err == nil && kills > 0 && code == 128+int(unix.SIGKILL) {
		reason = ReasonOutOfMemory
	}
	c.release()
	if !became && code == initFailed {
		reason = "CannotStartContainerError: " + c.first.line()
	}
	return code, reason
}

// abandon ends a container that could not be started.
func (c *container) abandon() {
	if _, err := c.process.Pid(); err == nil {
		_ = c.process.Signal(unix.SIGKILL)
		_, _ = c.process.Wait()
	}
	c.release()
}

func (c *container) release() {
	if c.joins != nil { // what it has started does not end with it
		_ = c.handle.Signal(unix.SIGKILL)
	}
	c.endPIDs()
	timer := time.NewTimer(outputGrace)
	defer timer.Stop()
	select {
	case <-c.drained:
	case <-timer.C:
		c.log.Unblock()
	}
	closeAll(c.outputs)
	if c.stdin != nil {
		_ = c.stdin.Close()
	}
	<-c.drained
	if err := c.handle.Destroy(); err != nil {
		fmt.Fprintln(os.Stderr, "destroy container:", err)
	}
}

func (c *container) signal(s unix.Signal) { _ = c.process.Signal(s) }

func exitCode(s syscall.WaitStatus) int {
	if s.Signaled() {
		return 128 + int(s.Signal())
	}
	return s.ExitStatus()
}

// cleanError takes out of libcontainer's error where it was when the program
// could not be started; people know the rest from Docker.
func cleanError(err error) error {
	text, _, _ := strings.Cut(err.Error(), "; runc init error(s):")
	for _, prefix := range []string{"unable to start container process: ", "error during container init: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return errors.New("unable to start container process: " + text)
}
