package supervisor

import (
	"path/filepath"

	"github.com/opencontainers/runc/libcontainer/configs"
	"golang.org/x/sys/unix"
)

// makeMounts returns the file systems that every container has.
func makeMounts() []*configs.Mount {
	const safe = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	return []*configs.Mount{
		{Source: "proc", Destination: "/proc", Device: "proc", Flags: safe},
		{
			Source: "tmpfs", Destination: "/dev", Device: "tmpfs",
			Flags: unix.MS_NOSUID | unix.MS_STRICTATIME, Data: "mode=755,size=65536k",
		},
		{
			Source: "devpts", Destination: "/dev/pts", Device: "devpts",
			Flags: unix.MS_NOSUID | unix.MS_NOEXEC, Data: "newinstance,ptmxmode=0666,mode=0620,gid=5",
		},
		{Source: "sysfs", Destination: "/sys", Device: "sysfs", Flags: safe | unix.MS_RDONLY},
		{Source: "cgroup", Destination: "/sys/fs/cgroup", Device: "cgroup", Flags: safe | unix.MS_RDONLY},
		{Source: "mqueue", Destination: "/dev/mqueue", Device: "mqueue", Flags: safe},
		{Source: "shm", Destination: "/dev/shm", Device: "tmpfs", Flags: safe, Data: "mode=1777,size=65536k"},
	}
}

// bindVolumes returns the mounts of a container's volumes. Their place may be
// anything that the image has there: libcontainer looks it up below the root.
func bindVolumes(c *Container) []*configs.Mount {
	var all []*configs.Mount
	for _, m := range c.Mounts {
		flags := unix.MS_NOSUID | unix.MS_NODEV
		if m.ReadOnly {
			flags |= unix.MS_RDONLY
		}
		all = append(all, bind(m.Source, m.Path, flags))
	}
	return all
}

// bindEtc returns the mounts of the platform's files. readonly keeps them from
// being written: they lie on the machine's disk.
func bindEtc(o *Order, readonly bool) []*configs.Mount {
	flags := 0
	if readonly {
		flags = unix.MS_RDONLY
	}
	var all []*configs.Mount
	for _, name := range etcFiles() {
		all = append(all, bind(filepath.Join(o.Dir, "etc", name), "/etc/"+name, flags))
	}
	return all
}

func bind(source, path string, flags int) *configs.Mount {
	return &configs.Mount{
		Source: source, Destination: path, Device: "bind", Flags: unix.MS_BIND | unix.MS_REC | flags,
		PropagationFlags: []int{unix.MS_PRIVATE | unix.MS_REC},
	}
}
