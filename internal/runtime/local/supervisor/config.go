package supervisor

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/cgroups"
	devices "github.com/opencontainers/cgroups/devices/config"
	"github.com/opencontainers/runc/libcontainer/configs"
	"github.com/opencontainers/runc/libcontainer/specconv"
	"golang.org/x/sys/unix"

	_ "github.com/opencontainers/cgroups/devices" // lets libcontainer set device rules
)

// Capabilities are those that Docker leaves to root in a container.
func Capabilities() []string {
	return []string{
		"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD",
		"CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP",
		"CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
	}
}

// capabilities are those of one container: the default without what it drops,
// and with what it adds, which counts more. Names come as in ECS, without CAP_.
func capabilities(c *Container) []string {
	caps := slices.DeleteFunc(Capabilities(), func(name string) bool {
		return slices.Contains(c.DropCapabilities, "ALL") || slices.Contains(c.DropCapabilities, strings.TrimPrefix(name, "CAP_"))
	})
	for _, name := range c.AddCapabilities {
		if !slices.Contains(caps, "CAP_"+name) {
			caps = append(caps, "CAP_"+name)
		}
	}
	return caps
}

// maskedPaths are what Docker hides: moby, oci/defaults.go.
func maskedPaths() []string {
	return []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
		"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
		"/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
	}
}

// readonlyPaths are what Docker protects.
func readonlyPaths() []string {
	return []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
}

// maxProcesses bounds a container against fork bombs.
const maxProcesses = 4096

// makeConfig returns libcontainer's view of a container. Network and IPC
// namespaces are the supervisor's, the others its own, but for the pid namespace
// at the path pids, if there is one. What joins the container later is confined as
// it is.
func makeConfig(h *home, pids string) *configs.Config {
	o, c := h.order, h.spec
	caps := capabilities(c)
	return &configs.Config{
		Rootfs:          h.root,
		Readonlyfs:      c.ReadonlyRoot,
		RootPropagation: unix.MS_PRIVATE | unix.MS_REC,
		Hostname:        o.Hostname,
		Namespaces: configs.Namespaces{
			{Type: configs.NEWNS}, {Type: configs.NEWPID, Path: pids}, {Type: configs.NEWUTS}, {Type: configs.NEWCGROUP},
		},
		Mounts:          slices.Concat(makeMounts(), bindVolumes(c), bindFiles(o, c), bindEtc(o, c.ReadonlyRoot)),
		Devices:         nodes(),
		Cgroups:         makeCgroup(o, c),
		Capabilities:    &configs.Capabilities{Bounding: caps, Effective: caps, Permitted: caps},
		NoNewPrivileges: true,
		NoNewKeyring:    true, // Init has made one, also for processes that join later
		MaskPaths:       maskedPaths(),
		ReadonlyPaths:   readonlyPaths(),
		AppArmorProfile: o.Profile,
		ProcessLabel:    o.Labels.Process,
		MountLabel:      o.Labels.Mount,
	}
}

func makeCgroup(o *Order, c *Container) *cgroups.Cgroup {
	processes := int64(maxProcesses)
	r := &cgroups.Resources{CpuShares: c.CPUShares, PidsLimit: &processes}
	if c.MemoryBytes > 0 {
		r.Memory, r.MemorySwap = c.MemoryBytes, c.MemoryBytes
	}
	r.MemoryReservation = c.MemoryReservationBytes
	for _, d := range specconv.AllowedDevices {
		r.Devices = append(r.Devices, &d.Rule)
	}
	return &cgroups.Cgroup{Path: cgroupOf(o, c), Resources: r}
}

func cgroupOf(o *Order, c *Container) string { return path.Join(o.CgroupPath, c.Name) }

// nodes are the device nodes of a container.
func nodes() []*devices.Device {
	var out []*devices.Device
	for _, d := range specconv.AllowedDevices {
		if d.Path != "" {
			out = append(out, d)
		}
	}
	return out
}

// commandPath is the PATH of images that set none.
const commandPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// makeEnv puts the platform's variables first, so that the container's own win.
func makeEnv(o *Order, c *Container) []string {
	env := []string{"PATH=" + commandPath, fmt.Sprintf("HOSTNAME=%s", o.Hostname)}
	return append(env, c.Env...)
}
