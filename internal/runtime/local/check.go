package local

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"neargate/internal/runtime/local/cgroup"
)

// Missing says what this machine lacks for running containers.
type Missing struct { //nolint:errname // it reads as local.Missing
	What string // one line
	Hint string // what to do about it
}

// Error gives What.
func (m *Missing) Error() string { return "containers cannot run here: " + m.What }

// Check looks whether containers can run here. The error is a *Missing.
func Check() error {
	for _, check := range []func() *Missing{checkRoot, checkKernel, checkCgroups} {
		if m := check(); m != nil {
			return m
		}
	}
	return nil
}

func checkRoot() *Missing {
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

func checkKernel() *Missing {
	for _, ns := range []string{"mnt", "pid", "uts", "ipc", "net", "cgroup"} {
		if _, err := os.Stat("/proc/self/ns/" + ns); err != nil {
			return &Missing{
				"the kernel has no " + ns + " namespaces",
				"use a kernel with namespaces, and mount /proc",
			}
		}
	}
	if _, err := os.Stat("/proc/sys/kernel/seccomp"); err != nil {
		return &Missing{"the kernel has no seccomp filters", "use a kernel with CONFIG_SECCOMP_FILTER"}
	}
	// Opening the file system's context loads its module where there is one.
	fd, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err == nil {
		_ = unix.Close(fd)
		return nil
	}
	data, _ := os.ReadFile("/proc/filesystems")
	if !strings.Contains(string(data), "\toverlay\n") {
		return &Missing{"the kernel has no overlayfs", "load it: modprobe overlay"}
	}
	return nil
}

func checkCgroups() *Missing {
	if _, err := cgroup.Detect(); err != nil {
		return &Missing{err.Error(), "mount the cgroup controllers cpu, cpuacct, memory, pids and devices, or cgroup v2"}
	}
	return nil
}
