package probe

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	"neargate/internal/runtime/local/supervisor"
)

// namespace is a kind of namespace that a task has of its own.
type namespace struct {
	name  string
	short string // as sysctl calls it
	flag  uintptr
}

func kinds() []namespace {
	return []namespace{
		{"mount", "mnt", unix.CLONE_NEWNS},
		{"pid", "pid", unix.CLONE_NEWPID},
		{"network", "net", unix.CLONE_NEWNET},
		{"ipc", "ipc", unix.CLONE_NEWIPC},
		{"uts", "uts", unix.CLONE_NEWUTS},
		{"cgroup", "cgroup", unix.CLONE_NEWCGROUP},
	}
}

func allNamespaces() (flags uintptr) {
	for _, ns := range kinds() {
		flags |= ns.flag
	}
	return flags
}

// outsideSandbox is the hint where the kernel can, and we may not.
const outsideSandbox = "run it outside a sandbox; inside a container, start that one with --privileged"

// missingNamespace makes a namespace of each kind and returns the first that
// cannot be made, nil when all can.
func missingNamespace() *Lack {
	for _, ns := range kinds() {
		err := unshare(ns.flag)
		switch {
		case err == nil:
		case errors.Is(err, unix.EINVAL):
			return &Lack{"the kernel has no " + ns.name + " namespaces", "use a kernel that has them"}
		case errors.Is(err, unix.ENOSPC):
			return &Lack{"no " + ns.name + " namespace may be made, by the machine's limit", "raise it: sysctl user.max_" + ns.short + "_namespaces=10000"}
		default:
			return &Lack{fmt.Sprintf("no %s namespace may be made: %v", ns.name, err), outsideSandbox}
		}
	}
	return nil
}

// unshare puts a thread into a new namespace and ends the thread. The one that
// a process began with does not end; it waits while another one does the work.
func unshare(flag uintptr) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			done <- unshare(flag)
			runtime.UnlockOSThread()
			return
		}
		done <- unix.Unshare(int(flag)) // the thread ends, as it is still locked
	}()
	return <-done
}

// enter makes the new namespaces usable, as a supervisor does.
func enter() *Lack {
	if err := supervisor.EnterNamespaces(); err != nil {
		return &Lack{"new namespaces cannot be used: " + err.Error(), outsideSandbox}
	}
	return nil
}
