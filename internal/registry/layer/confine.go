package layer

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// nobody is the user and group that the process becomes. Every file it makes is
// given its owner at once.
const nobody = 65534

// maxMemory bounds the writable memory of the process, in bytes. The largest
// window of zstd that is taken has 128 MiB.
const maxMemory = 768 << 20

// kept are the rights that unpacking takes: to write into directories of any
// mode and owner, and to set owners, modes and the capabilities of files.
// Making a whiteout takes none since Linux 5.8, making a device does.
func kept() []uint {
	return []uint{unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER, unix.CAP_FSETID, unix.CAP_SETFCAP}
}

// confine takes from this process all that unpacking does not need. It is in
// namespaces of its own already: nobody else to signal, no link to send on. The
// calling thread, which must be locked, keeps a few rights, all others none.
func confine(job Job, install func([]byte) error) error {
	for _, step := range []struct {
		what string
		take func() error
	}{
		{"enter the directory", func() error { return enter(job.Dir) }},
		{"set limits", func() error { return limit(job.Limits) }},
		{"drop rights", dropRights},
		{"install seccomp filter", func() error {
			if install == nil || job.Filter == nil {
				return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
			}
			return install(job.Filter)
		}},
	} {
		if err := step.take(); err != nil {
			return fmt.Errorf("confine the unpacking process: %s: %w", step.what, err)
		}
	}
	return nil
}

// enter makes dir all that there is: the root of this mount namespace, without
// devices and programs, and no other mount.
func enter(dir string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_NODEV|unix.MS_NOSUID|unix.MS_NOEXEC, ""); err != nil {
		return err
	}
	if err := unix.Chdir(dir); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil { // the old root now lies over the new one
		return err
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return err
	}
	return unix.Chdir("/")
}

// limit lowers the limits of this process. One that is lower already stays: to
// raise it takes a right that the server need not have.
func limit(l Limits) error {
	unix.Umask(0)
	for resource, value := range map[int]uint64{
		unix.RLIMIT_FSIZE:  uint64(l.Bytes),
		unix.RLIMIT_DATA:   maxMemory,
		unix.RLIMIT_NOFILE: 4096, // removing a tree holds one at each of its levels
		unix.RLIMIT_CORE:   0,
	} {
		var ours unix.Rlimit
		if err := unix.Getrlimit(resource, &ours); err != nil {
			return err
		}
		value = min(value, ours.Max)
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: value, Max: value}); err != nil {
			return err
		}
	}
	return nil
}

// dropRights makes all threads nobody, without any right but those that the
// calling thread keeps over the change.
func dropRights() error {
	if err := unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0); err != nil {
		return err
	}
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) { // not of this kernel
			return err
		}
	}
	// These change every thread of the process, which raw system calls do not.
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setresgid(nobody, nobody, nobody); err != nil {
		return err
	}
	if err := syscall.Setresuid(nobody, nobody, nobody); err != nil {
		return err
	}
	var sets [2]unix.CapUserData
	for _, c := range kept() {
		sets[c/32].Effective |= 1 << (c % 32)
		sets[c/32].Permitted |= 1 << (c % 32)
	}
	if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &sets[0]); err != nil {
		return err
	}
	// The change of user has undone this. A server that died before is noticed
	// by the end of the layer's bytes.
	return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
}
