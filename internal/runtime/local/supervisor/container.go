package supervisor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
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
	pids    string // its pid namespace
	log     *logfile.Writer
	outputs []*os.File    // our ends of its stdout and stderr
	drained chan struct{} // closed when both have ended

	execs   atomic.Int64 // commands so far
	joining sync.Mutex
	joined  map[int]bool // guarded by joining; processes started later that run
}

// startContainer takes a container to the point where its program runs.
// beforeExec is called when all is prepared, just before the program takes over.
func startContainer(o *Order, spec *Container, layout *cgroup.Layout, beforeExec func() error) (*container, error) {
	c := &container{order: o, spec: spec, layout: layout, drained: make(chan struct{}), joined: map[int]bool{}}
	root, err := mountRootfs(o, spec)
	if err != nil {
		return nil, err
	}
	if c.process, err = makeProcess(o, spec, root); err != nil {
		return nil, err
	}
	c.process.Init = true
	if c.log, err = logfile.Create(LogDir(o.Dir, spec.Name), spec.LogBuffer, time.Now); err != nil {
		return nil, err
	}
	if c.handle, err = libcontainer.Create(containerDir(o.Dir, spec.Name), "state", makeConfig(o, spec, root)); err != nil {
		return nil, fmt.Errorf("create container: %w", err)
	}
	if err := c.launch(beforeExec); err != nil {
		c.abandon()
		return nil, err
	}
	return c, nil
}

// LogDir is where the output of a container lies, as package logfile keeps it.
func LogDir(taskDir, name string) string { return filepath.Join(taskDir, "logs", name) }

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
	ends, err := c.openOutputs()
	if err != nil {
		return err
	}
	defer closeAll(ends)
	gate, child, err := newGate()
	if err != nil {
		return err
	}
	defer gate.close()
	c.process.Stdout, c.process.Stderr = ends[0], ends[1]
	c.process.ExtraFiles = []*os.File{child}
	err = c.handle.Start(c.process)
	_ = child.Close()
	if err != nil {
		return cleanError(err)
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

// openOutputs creates the pipes for stdout and stderr and returns the container's
// ends. Ours are read until they end.
func (c *container) openOutputs() ([]*os.File, error) {
	var theirs []*os.File
	for range 2 {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(theirs)
			closeAll(c.outputs)
			close(c.drained)
			return nil, fmt.Errorf("make output pipe: %w", err)
		}
		c.outputs, theirs = append(c.outputs, r), append(theirs, w)
	}
	done := make(chan struct{}, len(c.outputs))
	for _, r := range c.outputs {
		go func() {
			if err := c.log.Copy(r); err != nil {
				fmt.Fprintln(os.Stderr, "keep output:", err)
			}
			done <- struct{}{}
		}()
	}
	go func() {
		for range c.outputs {
			<-done
		}
		close(c.drained)
	}()
	return theirs, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// wait waits for the container's end, releases all it had and returns how it went.
func (c *container) wait() (code int, reason string) {
	state, err := c.process.Wait()
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
	timer := time.NewTimer(outputGrace)
	defer timer.Stop()
	select {
	case <-c.drained:
	case <-timer.C:
		c.log.Unblock()
	}
	closeAll(c.outputs)
	<-c.drained
	if err := c.log.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "end log:", err)
	}
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

// stopSignal reads "SIGTERM", "TERM" or "15".
func stopSignal(s string) (unix.Signal, error) {
	if s == "" {
		return unix.SIGTERM, nil
	}
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n < 65 {
		return unix.Signal(n), nil
	}
	name := strings.ToUpper(s)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	if n := unix.SignalNum(name); n != 0 {
		return n, nil
	}
	return 0, fmt.Errorf("stop signal %q is unknown", s)
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
