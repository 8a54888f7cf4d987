package layer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"

	dirtree "neargate/internal/tree"
)

// tree is the directory that a layer is unpacked into, by descriptor.
type tree struct {
	root int
	// The directory used last, as entries come in the order of directories.
	last   string // its name; "" when there is none
	lastFD int
	stale  bool // something was replaced since: names may mean something else
}

// place is where a file goes.
type place struct {
	name string // within the layer
	dir  int    // its directory, open until the next entry
	base string
}

func openTree(root string) (tree, error) {
	fd, err := unix.Open(root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return tree{}, &os.PathError{Op: "open", Path: root, Err: err}
	}
	if err := unix.Fchmod(fd, 0o755); err != nil {
		return tree{}, errors.Join(err, unix.Close(fd))
	}
	return tree{root: fd, lastFD: -1}, nil
}

func (t *tree) close() {
	t.forget()
	_ = unix.Close(t.root)
}

// forget closes the directory used last.
func (t *tree) forget() {
	if t.lastFD >= 0 {
		_ = unix.Close(t.lastFD)
	}
	t.last, t.lastFD, t.stale = "", -1, false
}

// open opens a directory of the layer. Symbolic links count as they do for a
// process that has the layer as its root.
func (t *tree) open(name string) (int, error) {
	return openBelow(t.root, name, unix.O_PATH, unix.RESOLVE_IN_ROOT)
}

// openBelow opens a directory below another, and never anything else: opening a
// pipe or a device can wait or act.
func openBelow(root int, name string, flags, resolve uint64) (int, error) {
	for {
		fd, err := unix.Openat2(root, name, &unix.OpenHow{
			Flags:   flags | unix.O_DIRECTORY | unix.O_CLOEXEC,
			Resolve: resolve | unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_MAGICLINKS,
		})
		// EAGAIN: something was renamed on this machine while ".." was looked up.
		if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			return fd, err
		}
	}
}

// mkdirs opens a directory, and makes it and its parents where the layer has
// left them out. The descriptor stays open until the next call.
func (x *extraction) mkdirs(name string) (int, error) {
	if x.stale {
		x.forget()
	}
	if name == "." {
		return x.root, nil
	}
	if name == x.last {
		return x.lastFD, nil
	}
	fd, err := x.open(name)
	if errors.Is(err, unix.ENOENT) {
		if fd, err = x.mkdir(name); err != nil {
			return -1, err
		}
	}
	if err != nil {
		return -1, fmt.Errorf("open %q: %w", shorten(name), err)
	}
	x.forget()
	x.last, x.lastFD = name, fd
	return fd, nil
}

// mkdir makes a directory that no entry describes. Complete gives it the looks
// that it has in the layers beneath.
func (x *extraction) mkdir(name string) (int, error) {
	parent, err := x.mkdirs(path.Dir(name))
	if err != nil {
		return -1, err
	}
	if err := x.budget.entry(); err != nil {
		return -1, err
	}
	base := path.Base(name)
	if err := unix.Mkdirat(parent, base, 0o755); err != nil {
		return -1, fmt.Errorf("make directory %q: %w", shorten(name), err)
	}
	if err := unix.Fchownat(parent, base, 0, 0, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return -1, err
	}
	if err := x.note(&x.implied, name); err != nil {
		return -1, err
	}
	return x.open(name)
}

// replace makes a file in place of what an earlier entry of the layer put there.
func (x *extraction) replace(at place, create func() error) error {
	if at.name == "." {
		return errors.New("the root is not a directory")
	}
	err := create()
	if !errors.Is(err, unix.EEXIST) {
		return err
	}
	x.stale = true
	if err := dirtree.RemoveAt(context.Background(), at.dir, at.base); err != nil {
		return err
	}
	return create()
}

func (x *extraction) isDir(at place) bool {
	var st unix.Stat_t
	err := unix.Fstatat(at.dir, at.base, &st, unix.AT_SYMLINK_NOFOLLOW)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
}
