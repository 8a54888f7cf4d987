package local

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"neargate/internal/runtime/local/supervisor"
)

// dialLimit bounds each step of talking to a supervisor.
const dialLimit = 5 * time.Second

// supervisorsPath is the cgroup of the supervisors, beside those of the tasks.
func supervisorsPath(id string) string { return filepath.Join(cgroupPath(id), "supervisors") }

// viaDir calls use with a short path to the task's socket: the path of a unix
// socket may have 107 bytes, a data directory's can be longer.
func viaDir(dir string, use func(path string) error) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return use(filepath.Join("/proc/self/fd", strconv.Itoa(int(d.Fd())), "sock"))
}

func dial(ctx context.Context, dir string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialLimit}
	var conn net.Conn
	err := viaDir(dir, func(path string) (err error) {
		conn, err = dialer.DialContext(ctx, "unix", path)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reach supervisor: %w", err)
	}
	return conn, nil
}

// spawn starts the task's supervisor and connects to it. The supervisor waits
// for its order.
func (e *Engine) spawn(ctx context.Context, t *task) error {
	var listener *net.UnixListener
	err := viaDir(t.dir, func(path string) (err error) {
		listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		return err
	})
	if err != nil {
		return fmt.Errorf("start supervisor: %w", err)
	}
	listener.SetUnlinkOnClose(false)
	defer func() { _ = listener.Close() }()
	file, err := listener.File()
	if err != nil {
		return fmt.Errorf("start supervisor: %w", err)
	}
	defer func() { _ = file.Close() }()
	errors, err := os.OpenFile(supervisorLog(t.dir), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start supervisor: %w", err)
	}
	defer func() { _ = errors.Close() }()
	// The order of these two makes sure that a supervisor never finds itself
	// without an engine at first.
	conn, err := dial(ctx, t.dir)
	if err != nil {
		return err
	}
	cmd := supervisorCommand(e.supervisorProgram(), e.id, t.id)
	cmd.ExtraFiles, cmd.Stderr = []*os.File{file}, errors
	// Out of the cgroup of the server: a service manager that stops the server
	// kills what is left in there.
	home, err := e.layout.Open(supervisorsPath(e.id))
	if err != nil {
		_ = conn.Close()
		return fmt.Errorf("start supervisor: %w", err)
	}
	if home != nil {
		defer func() { _ = home.Close() }()
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(home.Fd())
	}
	if err := cmd.Start(); err != nil {
		_ = conn.Close()
		return fmt.Errorf("start supervisor: %w", err)
	}
	t.mu.Lock()
	t.process, t.conn = cmd, conn
	t.mu.Unlock()
	return nil
}

// supervisorCommand is this same program as a supervisor: in its own session,
// so that no terminal's end touches it, and in namespaces that die with it.
func supervisorCommand(program, instance, task string) *exec.Cmd {
	return &exec.Cmd{
		Path: program,
		Args: []string{"neargate", supervisor.Argument, instance, task},
		Dir:  "/",
		// It does little, and there are many: one thread at a time, little heap.
		Env: []string{"GOMAXPROCS=1", "GOGC=50", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
		SysProcAttr: &unix.SysProcAttr{
			Setsid:     true,
			Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC,
		},
	}
}

// send sends the supervisor a command.
func (t *task) send(c supervisor.Command) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn == nil {
		return fmt.Errorf("command supervisor: not connected")
	}
	if err := t.conn.SetWriteDeadline(time.Now().Add(dialLimit)); err != nil {
		return fmt.Errorf("command supervisor: %w", err)
	}
	if err := json.NewEncoder(t.conn).Encode(c); err != nil {
		return fmt.Errorf("command supervisor: %w", err)
	}
	return nil
}
