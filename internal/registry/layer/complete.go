package layer

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const opaqueAttr = "trusted.overlay.opaque"

// Complete makes of an unpacked layer what overlayfs takes for one: directories
// that no entry describes look as in the layers beneath, as in overlayfs the
// upper directory's mode would hide that of /tmp, say; and opaque ones are
// marked. lower are the layers beneath, the highest first. What the directories
// hold was written by an image: no symbolic link is followed out of them, and
// nothing but directories is opened. It ends with its context.
func Complete(ctx context.Context, dir string, r Result, lower []string) error {
	t, err := openRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(t) }()
	beneath := make([]int, 0, len(lower))
	defer func() {
		for _, fd := range beneath {
			_ = unix.Close(fd)
		}
	}()
	if len(r.Implied) > 0 {
		for _, l := range lower {
			fd, err := openRoot(l)
			if err != nil {
				return err
			}
			beneath = append(beneath, fd)
		}
	}
	for _, name := range r.Implied {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := inherit(t, name, beneath); err != nil {
			return fmt.Errorf("complete directory %q: %w", shorten(name), err)
		}
	}
	for _, name := range r.Opaque {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := with(t, name, func(fd int) error { return unix.Fsetxattr(fd, opaqueAttr, []byte("y"), 0) })
		if err != nil {
			return fmt.Errorf("mark directory %q: %w", shorten(name), err)
		}
	}
	return nil
}

func openRoot(dir string) (int, error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	return fd, nil
}

// with opens a directory of the layer for use. One that a later entry has
// replaced is passed over.
func with(root int, name string, use func(fd int) error) error {
	fd, err := openBelow(root, name, unix.O_RDONLY, unix.RESOLVE_IN_ROOT)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(use(fd), unix.Close(fd))
}

// inherit gives a directory the owner and mode of the highest one beneath it. A
// file, a link or a whiteout in its place there ends the search.
func inherit(root int, name string, beneath []int) error {
	for _, l := range beneath {
		below, err := openBelow(l, name, unix.O_PATH, unix.RESOLVE_IN_ROOT|unix.RESOLVE_NO_SYMLINKS)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if gone(err) {
			return nil
		}
		if err != nil {
			return err
		}
		var st unix.Stat_t
		err = errors.Join(unix.Fstat(below, &st), unix.Close(below))
		if err != nil {
			return err
		}
		return with(root, name, func(fd int) error {
			return errors.Join(unix.Fchown(fd, int(st.Uid), int(st.Gid)), unix.Fchmod(fd, st.Mode&modeBits))
		})
	}
	return nil
}
