package layer

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// removeBatch is how many names of a directory are in memory at once.
const removeBatch = 1000

// Remove removes a directory with all that it holds, which an image may have
// brought: it follows no link, and what is in the way of names or numbers takes
// time but no memory. When ctx ends a part of it stays.
func Remove(ctx context.Context, dir string) error {
	parent, err := openRoot(filepath.Dir(dir))
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(parent) }()
	if err := remove(ctx, parent, filepath.Base(dir)); err != nil {
		return &os.PathError{Op: "remove", Path: dir, Err: err}
	}
	return nil
}

// remove removes a file, or a directory with all that it holds.
func remove(ctx context.Context, dir int, base string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err := unix.Unlinkat(dir, base, 0)
	if !errors.Is(err, unix.EISDIR) {
		return err
	}
	// Names may be passed over while others go: it takes another look then.
	for removed := 1; removed > 0; {
		if removed, err = empty(ctx, dir, base); err != nil {
			return err
		}
		if err = unix.Unlinkat(dir, base, unix.AT_REMOVEDIR); !errors.Is(err, unix.ENOTEMPTY) {
			return err
		}
	}
	return err
}

// empty removes what a directory holds and returns how much that was.
func empty(ctx context.Context, dir int, base string) (removed int, err error) {
	fd, err := unix.Openat(dir, base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	d := os.NewFile(uintptr(fd), base)
	defer func() { err = errors.Join(err, d.Close()) }()
	for {
		names, err := d.Readdirnames(removeBatch)
		for _, name := range names {
			if err := remove(ctx, fd, name); err != nil {
				return removed, err
			}
			removed++
		}
		if errors.Is(err, io.EOF) {
			return removed, nil
		}
		if err != nil {
			return removed, err
		}
	}
}
