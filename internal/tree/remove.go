// Package tree removes and walks through directories that others have filled:
// it follows no link, and neither the depth nor the number of what it meets
// costs it files or memory without bound. It is ground that hands stand on.
package tree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	// batch is how many names of a directory are in memory at once.
	batch = 1000
	// levels is how many directories are open at once. What lies deeper is moved
	// up first.
	levels = 64
)

// Remove removes a directory with all that it holds. One that is not there is no
// error. When ctx ends a part of it stays.
func Remove(ctx context.Context, dir string) error {
	parent, err := unix.Open(filepath.Dir(dir), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return &os.PathError{Op: "remove", Path: dir, Err: err}
	}
	defer func() { _ = unix.Close(parent) }()
	if err := RemoveAt(ctx, parent, filepath.Base(dir)); err != nil && !errors.Is(err, unix.ENOENT) {
		return &os.PathError{Op: "remove", Path: dir, Err: err}
	}
	return nil
}

// RemoveAt is Remove of the directory or file base in the open directory dir.
func RemoveAt(ctx context.Context, dir int, base string) error {
	r := remover{ctx: ctx, top: -1}
	return r.remove(dir, base, 0)
}

type remover struct {
	ctx   context.Context //nolint:containedctx // of one call of Remove
	top   int             // the directory that is to go; -1 before it is open
	moved int             // how many have been moved up
}

// remove removes a file, or a directory with all that it holds; one that lies
// too deep goes to the top, which is looked through again.
func (r *remover) remove(dir int, base string, depth int) error {
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	err := unix.Unlinkat(dir, base, 0)
	if !errors.Is(err, unix.EISDIR) {
		return err
	}
	if err = unix.Unlinkat(dir, base, unix.AT_REMOVEDIR); !errors.Is(err, unix.ENOTEMPTY) {
		return err
	}
	if depth == levels {
		return r.moveUp(dir, base)
	}
	// Names may be passed over while others go: it takes another look then.
	for removed := 1; removed > 0; {
		if removed, err = r.empty(dir, base, depth); err != nil {
			return err
		}
		if err = unix.Unlinkat(dir, base, unix.AT_REMOVEDIR); !errors.Is(err, unix.ENOTEMPTY) {
			return err
		}
	}
	return err
}

func (r *remover) moveUp(dir int, base string) error {
	for {
		r.moved++
		err := unix.Renameat2(dir, base, r.top, fmt.Sprintf(".deep-%d", r.moved), unix.RENAME_NOREPLACE)
		if !errors.Is(err, unix.EEXIST) {
			return err
		}
	}
}

// empty removes what a directory holds and returns how much that was.
func (r *remover) empty(dir int, base string, depth int) (removed int, err error) {
	fd, err := unix.Openat(dir, base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	d := os.NewFile(uintptr(fd), base)
	defer func() { err = errors.Join(err, d.Close()) }()
	if depth == 0 {
		r.top = fd
	}
	for {
		names, err := d.Readdirnames(batch)
		for _, name := range names {
			if err := r.remove(fd, name, depth+1); err != nil {
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
