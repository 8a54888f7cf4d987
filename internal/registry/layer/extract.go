package layer

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Whiteouts: OCI image layer specification, "Whiteouts". Overlayfs wants a
// deleted file as a character device 0/0 and an emptied directory with an
// attribute.
const (
	whiteoutPrefix = ".wh."
	opaqueMarker   = ".wh..wh..opq"
	aufsPrefix     = ".wh..wh." // bookkeeping of an old driver; nothing of the image
)

const (
	// chunk is how much of a file is written at once, and the smallest hole.
	chunk = 128 << 10
	// maxName is the kernel's limit on a path, in bytes.
	maxName = 4096
	// maxDepth is how deep directories may lie: whoever walks or removes the
	// tree holds a descriptor at each level.
	maxDepth = 256
	// maxNames bounds the names in a Result, in bytes.
	maxNames = 16 << 20
)

// extraction writes one layer. It is used by one goroutine.
type extraction struct {
	tree
	budget  budget
	buf     []byte
	zeros   []byte // as long as buf
	dirs    []dirTime
	opaque  []string
	implied []string
	names   int // bytes in opaque and implied
}

// dirTime is the time of a directory, set last as writing into it changes it.
type dirTime struct {
	name string
	at   time.Time
}

func newExtraction(root string, limits Limits) (*extraction, error) {
	t, err := openTree(root)
	if err != nil {
		return nil, err
	}
	return &extraction{tree: t, budget: budget{limits: limits, root: t.root}, buf: make([]byte, chunk), zeros: make([]byte, chunk)}, nil
}

// entryName returns the path of an entry within the layer.
func entryName(name string) (string, error) {
	if slices.Contains(strings.Split(name, "/"), "..") {
		return "", errors.New("path leads out of the layer")
	}
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if name == "" {
		return ".", nil
	}
	if len(name) > maxName || strings.Count(name, "/") >= maxDepth {
		return "", errors.New("path is too long")
	}
	return name, nil
}

func (x *extraction) entry(h *tar.Header, content io.Reader) error {
	if err := x.budget.entry(); err != nil {
		return err
	}
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := entryName(h.Name)
	if err != nil {
		return err
	}
	at := place{name: name, base: path.Base(name)}
	parent := path.Dir(name)
	if at.dir, err = x.mkdirs(parent); err != nil {
		return err
	}
	switch {
	case at.base == opaqueMarker:
		return x.note(&x.opaque, parent)
	case strings.HasPrefix(at.base, aufsPrefix):
		return nil
	case strings.HasPrefix(at.base, whiteoutPrefix):
		return x.whiteout(at, strings.TrimPrefix(at.base, whiteoutPrefix))
	}
	return x.create(h, at, content)
}

func (x *extraction) whiteout(at place, hidden string) error {
	if hidden == "" || hidden == "." || hidden == ".." {
		return errors.New("whiteout names nothing")
	}
	at.base, at.name = hidden, path.Join(path.Dir(at.name), hidden)
	err := x.replace(at, func() error { return unix.Mknodat(at.dir, at.base, unix.S_IFCHR, 0) })
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("make whiteout: this needs Linux 5.8: %w", err)
	}
	return err
}

// create makes the file of an entry.
func (x *extraction) create(h *tar.Header, at place, content io.Reader) error {
	if h.Uid < 0 || h.Gid < 0 || int64(h.Uid) > maxID || int64(h.Gid) > maxID {
		return fmt.Errorf("owner %d:%d does not exist", h.Uid, h.Gid)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return x.makeDir(h, at)
	case tar.TypeReg, tar.TypeGNUSparse:
		return x.makeFile(h, at, content)
	case tar.TypeSymlink:
		if err := x.replace(at, func() error { return unix.Symlinkat(h.Linkname, at.dir, at.base) }); err != nil {
			return err
		}
		return unix.Fchownat(at.dir, at.base, h.Uid, h.Gid, unix.AT_SYMLINK_NOFOLLOW)
	case tar.TypeLink:
		return x.makeLink(h, at)
	case tar.TypeFifo:
		if err := x.replace(at, func() error { return unix.Mknodat(at.dir, at.base, unix.S_IFIFO|0o600, 0) }); err != nil {
			return err
		}
		return x.describe(h, at)
	case tar.TypeChar, tar.TypeBlock:
		return nil // see the package comment
	}
	return fmt.Errorf("type %q is not supported", h.Typeflag)
}

func (x *extraction) makeDir(h *tar.Header, at place) error {
	x.dirs = append(x.dirs, dirTime{at.name, h.ModTime})
	if at.name != "." {
		err := unix.Mkdirat(at.dir, at.base, 0o700)
		if errors.Is(err, unix.EEXIST) && !x.isDir(at) {
			err = x.replace(at, func() error { return unix.Mkdirat(at.dir, at.base, 0o700) })
		}
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return err
		}
	}
	fd, err := unix.Openat(at.dir, at.base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return describeOpen(h, fd)
}

func (x *extraction) makeFile(h *tar.Header, at place, content io.Reader) error {
	if err := x.budget.content(h.Size); err != nil {
		return err
	}
	fd := -1
	err := x.replace(at, func() (err error) {
		fd, err = unix.Openat(at.dir, at.base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		return err
	})
	if err != nil {
		return err
	}
	err = x.write(fd, h.Size, content)
	if err == nil {
		err = describeOpen(h, fd)
	}
	if err := errors.Join(err, unix.Close(fd)); err != nil {
		return err
	}
	return setTime(at.dir, at.base, h.ModTime)
}

// makeLink makes a hard link to a file of the layer.
func (x *extraction) makeLink(h *tar.Header, at place) error {
	target, err := entryName(h.Linkname)
	if err != nil {
		return err
	}
	dir, err := x.open(path.Dir(target))
	if err != nil {
		return fmt.Errorf("link to %q: %w", shorten(h.Linkname), err)
	}
	defer func() { _ = unix.Close(dir) }()
	return x.replace(at, func() error { return unix.Linkat(dir, path.Base(target), at.dir, at.base, 0) })
}

// note adds a name to a list of the result.
func (x *extraction) note(list *[]string, name string) error {
	if x.names += len(name); x.names > maxNames {
		return errors.New("the layer has too many directories without an entry")
	}
	*list = append(*list, name)
	return nil
}

// result sets what later entries would have changed again.
func (x *extraction) result() (Result, error) {
	for _, d := range x.dirs {
		dir, err := x.open(path.Dir(d.name))
		if err == nil {
			err = setTime(dir, path.Base(d.name), d.at)
			_ = unix.Close(dir)
		}
		if err != nil && !gone(err) { // replaced by a later entry
			return Result{}, fmt.Errorf("set time of %q: %w", shorten(d.name), err)
		}
	}
	return Result{Opaque: x.opaque, Implied: x.implied}, nil
}

// gone reports whether err is of a path that is not there any more.
func gone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP)
}
