package supervisor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// mountShared mounts the shared directories that containers mount, each at its
// place in the task's directory. From there they are taken by a path that nobody
// else writes: one within the shared directory could lead anywhere by then.
func mountShared(o *Order, roots []string) error {
	for i, c := range o.Containers {
		for _, m := range c.Mounts {
			if m.Shared == nil {
				continue
			}
			if err := m.mountShared(roots[i], c.User); err != nil {
				return fmt.Errorf("mount the volume of container %s at %s: %w", c.Name, m.Path, err)
			}
		}
	}
	return nil
}

func (m Mount) mountShared(root, user string) error {
	dir, err := openShared(*m.Shared)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	if m.Shared.User != nil {
		u, err := resolveUser(root, user)
		if err != nil {
			return err
		}
		switch err := mountAs(dir, m.Source, *m.Shared.User, User{int64(u.Uid), int64(u.Gid)}); {
		case err == nil:
			return nil
		case !errors.Is(err, errNoMapping):
			return err
		}
		fmt.Fprintln(os.Stderr, "files are used as who a process is:", err)
	}
	if err := unix.Mount(magic(dir), m.Source, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	return nil
}

// openShared opens a shared directory as a place only. No link is followed: other
// tasks write them.
func openShared(s Shared) (*os.File, error) {
	base, err := unix.Open(s.Base, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: s.Base, Err: err}
	}
	defer func() { _ = unix.Close(base) }()
	fd, err := unix.Openat2(base, "."+s.Path, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_XDEV,
	})
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: s.Path, Err: err}
	}
	return os.NewFile(uintptr(fd), s.Path), nil
}

// errNoMapping says that the kernel cannot map the users of a mount, or not on
// that file system.
var errNoMapping = errors.New("the users of this file system cannot be mapped")

// mountAs mounts a directory so that what the user inside does there is done as
// the user outside, and what that one has is seen as the other's. Both swap: who
// neither is, stays. It needs Linux 5.12 and a file system that can do it.
func mountAs(dir *os.File, at string, outside, inside User) error {
	tree, err := unix.OpenTree(int(dir.Fd()), "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoMapping, err)
	}
	defer func() { _ = unix.Close(tree) }()
	users, err := userNamespace(swap(outside.UID, inside.UID), swap(outside.GID, inside.GID))
	if err != nil {
		return fmt.Errorf("%w: %w", errNoMapping, err)
	}
	defer func() { _ = users.Close() }()
	err = unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(users.Fd())})
	if err != nil {
		return fmt.Errorf("%w: %w", errNoMapping, err)
	}
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, at, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	return nil
}

// ids is how many numbers of users there are.
const ids = 1<<32 - 1

// swap maps every number to itself, but two to each other.
func swap(a, b int64) []syscall.SysProcIDMap {
	low, high := min(a, b), max(a, b)
	var all []syscall.SysProcIDMap
	add := func(from, to, size int64) {
		if size > 0 {
			all = append(all, syscall.SysProcIDMap{ContainerID: int(from), HostID: int(to), Size: int(size)})
		}
	}
	if low == high {
		add(0, 0, ids)
		return all
	}
	add(0, 0, low)
	add(low, high, 1)
	add(low+1, low+1, high-low-1)
	add(high, low, 1)
	add(high+1, high+1, ids-high-1)
	return all
}

// userNamespace returns a user namespace with these mappings. It takes a process
// to make one.
func userNamespace(users, groups []syscall.SysProcIDMap) (*os.File, error) {
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{"neargate", NamespaceArgument}, Dir: "/",
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWUSER, UidMappings: users, GidMappings: groups, GidMappingsEnableSetgroups: true, Pdeathsig: unix.SIGKILL,
		},
	}
	stay, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	f, err := os.Open("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/ns/user")
	_ = stay.Close()
	_ = cmd.Wait() // it has nothing to say
	return f, err
}

// NamespaceArgument is the hidden first argument of a process that keeps a user
// namespace until its standard input ends.
const NamespaceArgument = "keep-namespace"

// KeepNamespace is that process's whole life.
func KeepNamespace() {
	_, _ = io.Copy(io.Discard, os.Stdin)
}
