package probe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"

	"neargate/internal/runtime/local/supervisor"
)

// openWithin opens a file in a way that no symbolic link leads out of.
func openWithin() *Lack {
	root, err := os.Open("/")
	if err != nil {
		return &Lack{err.Error(), outsideSandbox}
	}
	defer func() { _ = root.Close() }()
	fd, err := unix.Openat2(int(root.Fd()), "proc", &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT})
	if err != nil {
		return &Lack{"the kernel has no openat2: " + err.Error(), "use Linux 5.10 or newer, and run it outside a sandbox"}
	}
	_ = unix.Close(fd)
	return nil
}

// seccomp asks for the action by which system calls are refused.
func seccomp() *Lack {
	const actionAvailable = 2 // SECCOMP_GET_ACTION_AVAIL
	refuse := uint32(unix.SECCOMP_RET_ERRNO)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, actionAvailable, 0, uintptr(unsafe.Pointer(&refuse)))
	if errno != 0 {
		return &Lack{"the kernel has no seccomp filters: " + errno.Error(), "use a kernel with CONFIG_SECCOMP_FILTER"}
	}
	return nil
}

// overlay joins directories in memory into one.
func overlay() *Lack {
	const dir = "/sys" // it is on every machine, and not needed from here on
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		return &Lack{"tmpfs cannot be mounted: " + err.Error(), outsideSandbox}
	}
	err := tryOverlay(dir)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENODEV):
		return &Lack{"the kernel has no overlayfs", "load it: modprobe overlay"}
	case errors.Is(err, unix.EINVAL):
		return &Lack{"the kernel's overlayfs is too old", "use Linux 5.10 or newer"}
	}
	return &Lack{"overlayfs does not work: " + err.Error(), outsideSandbox}
}

// overlayIn joins directories below dir into one. A full disk lacks nothing but
// space: the server must come up there, to serve what runs and to be told what
// to stop.
func overlayIn(dir string) *Lack {
	var at unix.Statfs_t
	err := tryOverlay(dir)
	if err != nil && unix.Statfs(dir, &at) == nil && at.Type == unix.OVERLAYFS_SUPER_MAGIC {
		return &Lack{
			fmt.Sprintf("what containers write cannot be kept in %s: it lies on an overlay itself, as a container's own files do", dir),
			"mount a volume at the data directory: docker run -v neargate:/var/lib/neargate …",
		}
	}
	if err != nil && !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		return &Lack{
			fmt.Sprintf("what containers write cannot be kept in %s: %v", dir, err),
			"name a directory on ext4, xfs or btrfs with --data; that of a container should be a volume",
		}
	}
	return nil
}

// tryOverlay mounts an overlay below dir and reads and writes through it.
func tryOverlay(dir string) error {
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, d := range []string{"root", "upper", "work", "lower", "lowest"} {
		if err := os.MkdirAll(at(d), 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(at("lowest/file"), []byte("x"), 0o600); err != nil {
		return err
	}
	if err := supervisor.MountOverlay(at("root"), at("upper"), at("work"), []string{at("lowest"), at("lower")}); err != nil {
		return err
	}
	if err := os.WriteFile(at("root/file"), []byte("y"), 0o600); err != nil {
		return fmt.Errorf("write over a lower file: %w", err)
	}
	if data, err := os.ReadFile(at("upper/file")); err != nil || string(data) != "y" {
		return fmt.Errorf("what was written is not in the upper directory: %q, %w", data, err)
	}
	return nil
}
