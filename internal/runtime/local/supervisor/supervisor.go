// Package supervisor is the process that keeps one task: it starts the task's
// containers, takes their output and exit status, and stops them. It outlives
// the engine, which talks to it over a unix socket and takes it over after a
// restart of its own.
//
// A supervisor is the first process of its own pid, mount, network and IPC
// namespaces. The task's containers live inside these: so they share an
// address, their mounts never appear on the machine, and whatever becomes of
// the supervisor, the kernel lets nothing of the task outlive it.
package supervisor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"
)

// Argument is the hidden first argument of a supervisor's process. The
// instance's and the task's ID follow it, for people and for Cleanup.
const Argument = "task-supervisor"

// ProbeArgument is the hidden first argument of a process that only shows that
// this program runs.
const ProbeArgument = "task-supervisor-probe"

// ListenerFD is the descriptor on which a supervisor finds its listening socket.
const ListenerFD = 3

// StopLimit is how long a container gets between the stop signal and SIGKILL
// when neither its definition nor the caller sets another.
const StopLimit = 30 * time.Second

// Main is a supervisor's whole life. It returns the process's exit code.
func Main() int {
	logrus.SetLevel(logrus.ErrorLevel) // libcontainer's log goes to stderr, a file of the task
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func run() error {
	file := os.NewFile(ListenerFD, "control")
	listener, err := net.FileListener(file)
	if err != nil {
		return fmt.Errorf("open control socket: %w", err)
	}
	_ = file.Close()
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	if err := EnterNamespaces(); err != nil {
		return err
	}
	hub := newHub()
	var conns sync.WaitGroup
	conns.Go(func() { hub.serve(listener) })
	defer func() {
		_ = listener.Close()
		hub.close()
		conns.Wait()
	}()
	select {
	case order := <-hub.orders:
		t := newTask(order, hub)
		return t.run(ctx)
	case <-hub.orphaned:
		return errors.New("the engine went away before it gave an order")
	case <-ctx.Done():
		return nil
	}
}

// EnterNamespaces makes the new namespaces usable: mounts made here stay here,
// and /proc shows this pid namespace.
func EnterNamespaces() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return hideHierarchies()
}

// saveReport writes the report where the engine finds it after a restart.
func saveReport(dir string, data []byte) error {
	tmp := filepath.Join(dir, "report.json.tmp")
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := os.Rename(tmp, ReportFile(dir)); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// ReportFile is where the last report of the task in dir lies.
func ReportFile(dir string) string { return filepath.Join(dir, "report.json") }
