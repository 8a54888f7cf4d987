package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"neargate/internal/runtime/local/cgroup"
	"neargate/internal/runtime/local/probe"
)

// Missing is what this machine lacks for running containers.
type Missing struct { //nolint:errname // it reads as local.Missing
	What string // one line
	Hint string // what to do about it
}

// Error returns what is missing.
func (m *Missing) Error() string { return "containers cannot run here: " + m.What }

// Check tries what a task needs of this machine: root's capabilities, cgroups
// with limits, namespaces, overlayfs, links, a packet filter. Nothing of it stays. The
// error is a *Missing that names the first thing that cannot be had.
func Check() error {
	for _, check := range []func() error{checkRoot, checkCgroups, checkKernel} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func checkRoot() error {
	if os.Geteuid() != 0 {
		return &Missing{
			fmt.Sprintf("not root (user %d)", os.Geteuid()),
			"run it as root, for example with sudo",
		}
	}
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return &Missing{fmt.Sprintf("the capabilities cannot be read: %v", err), "run it outside a sandbox"}
	}
	for _, c := range []struct {
		bit  int
		name string
	}{{unix.CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}, {unix.CAP_NET_ADMIN, "CAP_NET_ADMIN"}} {
		if data[c.bit/32].Effective&(1<<(c.bit%32)) == 0 {
			return &Missing{
				"root here lacks " + c.name,
				"inside a container, start that one with --privileged",
			}
		}
	}
	return nil
}

func checkCgroups() error {
	layout, err := cgroup.Detect()
	if err != nil {
		return &Missing{err.Error(), "mount the cgroup controllers cpu, cpuacct, memory, pids and devices, or cgroup v2"}
	}
	if err := layout.Probe(filepath.Dir(cgroupPath(""))); err != nil {
		return &Missing{
			"cgroups cannot be made and limited: " + err.Error(),
			"mount " + cgroup.Root + " for writing; inside a container, start that one with --privileged",
		}
	}
	return nil
}

func checkKernel() error { return missing(probe.Machine(context.Background())) }

// checkDirectory tries whether tasks can lie in dir, and leaves nothing there.
func checkDirectory(ctx context.Context, dir string) error {
	dir = filepath.Join(dir, "probe")
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("probe the data directory: %w", err)
	}
	err := os.MkdirAll(dir, 0o700)
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return nil // as for what is tried within
	}
	if err != nil {
		return fmt.Errorf("probe the data directory: %w", err)
	}
	err = missing(probe.Directory(ctx, dir))
	if removeErr := os.RemoveAll(dir); err == nil && removeErr != nil {
		err = fmt.Errorf("probe the data directory: %w", removeErr)
	}
	return err
}

func missing(l *probe.Lack, err error) error {
	if err != nil {
		return err
	}
	if l != nil {
		return &Missing{l.What, l.Hint}
	}
	return nil
}
