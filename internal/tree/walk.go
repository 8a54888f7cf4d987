package tree

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// deepest is how deep Walk goes: paths end at 4,096 bytes, so only what was made
// level by level lies deeper than half of that.
const deepest = 1000

// ErrTooDeep is the error of Walk about directories within each other that are
// too many to be walked through.
var ErrTooDeep = errors.New("its directories lie too deep within each other")

// Walk calls fn with every file and directory below dir, and dir itself, while
// others may change them: what vanishes is passed over. It stays on dir's file
// system. A dir that is not there holds nothing. Errors: ErrTooDeep.
func Walk(dir string, fn func(unix.Stat_t)) error {
	var st unix.Stat_t
	err := unix.Lstat(dir, &st)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return &os.PathError{Op: "walk", Path: dir, Err: err}
	}
	fn(st)
	w := walker{fn: fn, dev: st.Dev}
	if err := w.walk(unix.AT_FDCWD, dir, 0); err != nil {
		return &os.PathError{Op: "walk", Path: dir, Err: err}
	}
	return nil
}

type walker struct {
	fn  func(unix.Stat_t)
	dev uint64
}

func (w *walker) walk(at int, base string, depth int) error {
	if depth > deepest {
		return ErrTooDeep
	}
	fd, err := unix.Openat(at, base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return nil // it is another one by now
	}
	if err != nil {
		return err
	}
	d := os.NewFile(uintptr(fd), base)
	defer func() { _ = d.Close() }()
	for {
		names, err := d.Readdirnames(batch)
		for _, name := range names {
			if err := w.visit(fd, name, depth); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (w *walker) visit(fd int, name string, depth int) error {
	var st unix.Stat_t
	err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	if st.Dev != w.dev {
		return nil
	}
	w.fn(st)
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return nil
	}
	return w.walk(fd, name, depth+1)
}
