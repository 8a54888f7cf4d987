package supervisor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	decide "neargate/internal/decide/disk"
	"neargate/internal/runtime/local/disk"
)

// fillLevels is how deep the directories of an image's volume may be: two files
// are open for each.
const fillLevels = 200

// fillVolumes copies what images have where they declare volumes into those that
// are empty. The containers' root file systems are mounted, and none runs yet.
func fillVolumes(o *Order, roots []string) error {
	for i, c := range o.Containers {
		for _, m := range c.Mounts {
			if !m.Fill {
				continue
			}
			f := filler{order: o}
			if err := f.fill(roots[i], m); err != nil {
				return fmt.Errorf("copy the image's %s of container %s into its volume: %w", m.Path, c.Name, err)
			}
		}
	}
	return nil
}

// filler copies a directory of an image. Nothing of it is opened that is neither
// a directory nor a regular file; devices and sockets are left out.
type filler struct {
	order *Order
	bytes int64 // copied so far
}

func (f *filler) fill(root string, m Mount) error {
	if there, err := os.ReadDir(m.Source); err != nil || len(there) > 0 {
		return err
	}
	from, err := findInRoot(root, m.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := os.Open(m.Source)
	if err != nil {
		return err
	}
	defer func() { _ = to.Close() }()
	var st unix.Stat_t
	if err := unix.Fstat(int(from.Fd()), &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return err // the mount says what is wrong with it
	}
	return f.directory(from, to, st, 0)
}

// directory copies what from, which is open as a place only, holds.
func (f *filler) directory(from, to *os.File, st unix.Stat_t, depth int) error {
	if depth > fillLevels {
		return fmt.Errorf("more than %d directories within each other", fillLevels)
	}
	list, err := os.Open(magic(from)) // a directory, as has been looked at
	if err != nil {
		return err
	}
	names, err := list.Readdirnames(-1)
	if err = errors.Join(err, list.Close()); err != nil {
		return err
	}
	for _, name := range names {
		if err := f.entry(from, to, name, depth); err != nil {
			return err
		}
	}
	return own(to, st)
}

func (f *filler) entry(from, to *os.File, name string, depth int) error {
	fd, err := unix.Openat(int(from.Fd()), name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	source := os.NewFile(uintptr(fd), name)
	defer func() { _ = source.Close() }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	dir := int(to.Fd())
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		if err := unix.Mkdirat(dir, name, 0o700); err != nil {
			return err
		}
		into, err := openAt(to, name, unix.O_RDONLY|unix.O_DIRECTORY)
		if err != nil {
			return err
		}
		defer func() { _ = into.Close() }()
		return f.directory(source, into, st, depth+1)
	case unix.S_IFREG:
		return f.file(source, to, st)
	case unix.S_IFLNK:
		return copyLink(source, to, st)
	case unix.S_IFIFO:
		return errors.Join(unix.Mknodat(dir, name, unix.S_IFIFO|0o600, 0), unix.Fchmodat(dir, name, st.Mode&0o7777, 0),
			unix.Fchownat(dir, name, int(st.Uid), int(st.Gid), unix.AT_SYMLINK_NOFOLLOW))
	}
	return nil
}

func (f *filler) file(source, to *os.File, st unix.Stat_t) (err error) {
	if err := f.room(st.Size); err != nil {
		return err
	}
	in, err := os.OpenFile(magic(source), os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := openAt(to, source.Name(), unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return own(out, st)
}

// room refuses a file for which the task, or the machine, has no room.
func (f *filler) room(size int64) error {
	f.bytes += size
	if limit := f.order.DiskBytes; limit > 0 && f.bytes > limit {
		return fmt.Errorf("more than the task's ephemeral storage of %d GiB", limit>>30)
	}
	room, err := disk.Room(f.order.Dir)
	if err != nil {
		return err
	}
	if room.Free-size < decide.Reserve(room.Size)/2 {
		return errors.New("the machine's disk is full")
	}
	return nil
}

func copyLink(source, to *os.File, st unix.Stat_t) error {
	text := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(source.Fd()), "", text)
	if err != nil {
		return err
	}
	dir := int(to.Fd())
	return errors.Join(unix.Symlinkat(string(text[:n]), dir, source.Name()),
		unix.Fchownat(dir, source.Name(), int(st.Uid), int(st.Gid), unix.AT_SYMLINK_NOFOLLOW))
}

// own gives a copy the owner and the mode of what it is a copy of: the mode last,
// as a change of owner clears a part of it.
func own(f *os.File, st unix.Stat_t) error {
	fd := int(f.Fd())
	return errors.Join(unix.Fchown(fd, int(st.Uid), int(st.Gid)), unix.Fchmod(fd, st.Mode&0o7777))
}

func openAt(dir *os.File, name string, flags int) (*os.File, error) {
	fd, err := unix.Openat(int(dir.Fd()), name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// magic is the path by which an open file is opened again: no name of the
// image is looked up a second time.
func magic(f *os.File) string { return "/proc/self/fd/" + strconv.Itoa(int(f.Fd())) }
