package registry

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Whiteouts: OCI image layer specification, "Whiteouts". Overlayfs wants a
// deleted file as a character device 0/0 and an emptied directory with an
// attribute.
const (
	whiteoutPrefix = ".wh."
	opaqueMarker   = ".wh..wh..opq"
	aufsPrefix     = ".wh..wh." // bookkeeping of an old driver; nothing of the image
	opaqueAttr     = "trusted.overlay.opaque"
	paxAttrPrefix  = "SCHILY.xattr."
)

// extraction writes one layer.
type extraction struct {
	root  *os.Root
	lower []string // the layers beneath, highest first
	dirs  []dirTime
}

// dirTime is the time of a directory, set last as writing into it changes it.
type dirTime struct {
	name string
	at   time.Time
}

// entryName gives the path of an entry within the layer.
func entryName(name string) (string, error) {
	if slices.Contains(strings.Split(name, "/"), "..") {
		return "", errors.New("path leads out of the layer")
	}
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if name == "" {
		return ".", nil
	}
	return name, nil
}

func (x *extraction) entry(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := entryName(h.Name)
	if err != nil {
		return err
	}
	parent, base := path.Dir(name), path.Base(name)
	if err := x.mkdirs(parent); err != nil {
		return err
	}
	switch {
	case base == opaqueMarker:
		return x.setOpaque(parent)
	case strings.HasPrefix(base, aufsPrefix):
		return nil
	case strings.HasPrefix(base, whiteoutPrefix):
		hidden := path.Join(parent, strings.TrimPrefix(base, whiteoutPrefix))
		if base == whiteoutPrefix || hidden == parent {
			return errors.New("whiteout names nothing")
		}
		return x.replace(hidden, func() error { return mknod(x.root, hidden, syscall.S_IFCHR, 0, 0) })
	}
	if err := x.create(h, name, content); err != nil {
		return err
	}
	return x.setAttributes(h, name)
}

// create makes the file of an entry, without its owner, mode and times.
func (x *extraction) create(h *tar.Header, name string, content io.Reader) error {
	switch h.Typeflag {
	case tar.TypeDir:
		x.dirs = append(x.dirs, dirTime{name, h.ModTime})
		if st, err := x.root.Lstat(name); err == nil && st.IsDir() {
			return nil
		}
		return x.replace(name, func() error { return x.root.Mkdir(name, 0o755) })
	case tar.TypeReg, tar.TypeGNUSparse:
		return x.replace(name, func() error { return x.writeFile(h, name, content) })
	case tar.TypeSymlink:
		return x.replace(name, func() error { return x.root.Symlink(h.Linkname, name) })
	case tar.TypeLink:
		target, err := entryName(h.Linkname)
		if err != nil {
			return err
		}
		return x.replace(name, func() error { return x.root.Link(target, name) })
	case tar.TypeChar:
		return x.replace(name, func() error { return mknod(x.root, name, syscall.S_IFCHR, h.Devmajor, h.Devminor) })
	case tar.TypeBlock:
		return x.replace(name, func() error { return mknod(x.root, name, syscall.S_IFBLK, h.Devmajor, h.Devminor) })
	case tar.TypeFifo:
		return x.replace(name, func() error { return mknod(x.root, name, syscall.S_IFIFO, 0, 0) })
	}
	return fmt.Errorf("type %q is not supported", h.Typeflag)
}

// replace makes a file in place of what an earlier entry of the layer put there.
func (x *extraction) replace(name string, create func() error) error {
	if name == "." {
		return errors.New("the root is not a directory")
	}
	err := create()
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := x.root.RemoveAll(name); err != nil {
		return err
	}
	return create()
}

func (x *extraction) writeFile(h *tar.Header, name string, content io.Reader) error {
	f, err := x.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, content)
	if err == nil && n != h.Size {
		err = io.ErrUnexpectedEOF
	}
	return errors.Join(err, f.Close())
}

// setAttributes gives a new file its owner, mode, extended attributes and time.
// The mode comes after the owner, whose change clears set-user-ID.
func (x *extraction) setAttributes(h *tar.Header, name string) error {
	if h.Typeflag == tar.TypeLink {
		return nil // those of the file it links to
	}
	if err := x.root.Lchown(name, h.Uid, h.Gid); err != nil {
		return err
	}
	if h.Typeflag == tar.TypeSymlink {
		return nil
	}
	if err := x.root.Chmod(name, h.FileInfo().Mode()&(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky)); err != nil {
		return err
	}
	if h.Typeflag == tar.TypeReg || h.Typeflag == tar.TypeDir {
		for key, value := range h.PAXRecords {
			attr, ok := strings.CutPrefix(key, paxAttrPrefix)
			// Others, above all trusted.overlay.*, are not an image's to set.
			if !ok || attr != "security.capability" && !strings.HasPrefix(attr, "user.") {
				continue
			}
			if err := setxattr(x.root, name, attr, value); err != nil {
				return fmt.Errorf("set attribute %s: %w", attr, err)
			}
		}
	}
	return x.root.Chtimes(name, h.ModTime, h.ModTime)
}

// mkdirs makes the directories that a layer leaves out. Each looks as it does
// in the layers beneath: in overlayfs the upper directory's mode would hide
// that of /tmp, say.
func (x *extraction) mkdirs(name string) error {
	if name == "." {
		return nil
	}
	if _, err := x.root.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return err // none: a file in the way shows when something is made below it
	}
	if err := x.mkdirs(path.Dir(name)); err != nil {
		return err
	}
	if err := x.root.Mkdir(name, 0o755); err != nil {
		return err
	}
	for _, dir := range x.lower {
		st, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		sys, ok := st.Sys().(*syscall.Stat_t)
		if !ok || !st.IsDir() {
			return nil
		}
		if err := x.root.Lchown(name, int(sys.Uid), int(sys.Gid)); err != nil {
			return err
		}
		return x.root.Chmod(name, st.Mode()&(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky))
	}
	return nil
}

func (x *extraction) setOpaque(name string) error { return setxattr(x.root, name, opaqueAttr, "y") }

// finish sets what later entries would have changed again.
func (x *extraction) finish() error {
	for _, d := range x.dirs {
		err := x.root.Chtimes(d.name, d.at, d.at)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) { // replaced by a later entry
			return fmt.Errorf("set time of %q: %w", d.name, err)
		}
	}
	return nil
}
