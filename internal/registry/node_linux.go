package registry

import (
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// mknod makes a device or a pipe below root. kind is one of S_IFCHR, S_IFBLK
// and S_IFIFO.
func mknod(root *os.Root, name string, kind uint32, major, minor int64) error {
	dir, err := root.Open(path.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	dev := unix.Mkdev(uint32(major), uint32(minor))
	err = unix.Mknodat(int(dir.Fd()), path.Base(name), kind|0o600, int(dev))
	if err != nil {
		return &os.PathError{Op: "mknod", Path: name, Err: err}
	}
	return nil
}

// setxattr sets an extended attribute of a file or directory below root.
func setxattr(root *os.Root, name, attr, value string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Fsetxattr(int(f.Fd()), attr, []byte(value), 0); err != nil {
		return &os.PathError{Op: "setxattr", Path: name, Err: err}
	}
	return nil
}
