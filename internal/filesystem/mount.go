package filesystem

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"neargate/internal/model"
)

// Mount returns where a volume of a task lies, and makes the root directory of an
// access point that is there for the first time. The error is
// ResourceInitializationError in the words of EFS's mount helper.
func (f *FileSystems) Mount(v model.EFSVolume) (model.SharedDirectory, error) {
	system, ok := f.systems.Get(v.FileSystemID)
	if !ok || len(f.MountTargets(v.FileSystemID)) == 0 {
		return model.SharedDirectory{}, cannotMount(1, `Failed to resolve "%s.efs.%s.amazonaws.com" - check that your file system ID is correct, and ensure that the VPC has an EFS mount target for this file system ID. See https://docs.aws.amazon.com/console/efs/mount-dns-name for more detail.`,
			v.FileSystemID, f.cfg.Place.Region)
	}
	shared := model.SharedDirectory{Base: f.dir(system.ID), Path: path.Clean("/" + v.RootDirectory)}
	if v.AccessPointID == "" {
		return shared, f.there(shared)
	}
	point, ok := f.points.Get(v.AccessPointID)
	if !ok || point.FileSystem != system.ID {
		return shared, cannotMount(32, "mount.nfs4: access denied by server while mounting 127.0.0.1:/")
	}
	shared.Path = path.Clean("/" + point.Path)
	if point.User != nil {
		shared.User = &model.PosixUser{UID: point.User.UID, GID: point.User.GID}
	}
	if point.Creation != nil {
		if err := create(shared, *point.Creation); err != nil {
			return shared, fmt.Errorf("make directory %s of %s: %w", shared.Path, system.ID, err)
		}
	}
	return shared, f.there(shared)
}

// there reports whether the directory is there.
func (f *FileSystems) there(s model.SharedDirectory) error {
	fd, err := openBelow(s.Base, s.Path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return cannotMount(32, "mount.nfs4: mounting 127.0.0.1:%s failed, reason given by server: No such file or directory", s.Path)
	}
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

func cannotMount(code int, format string, args ...any) error {
	return model.Errorf(model.Invalid, "ResourceInitializationError",
		"failed to invoke EFS utils commands to set up EFS volumes: stderr: %s : unsuccessful EFS utils command execution; code: %d", fmt.Sprintf(format, args...), code)
}

// openBelow opens a directory below base, as a place only. No link is followed:
// tasks write them.
func openBelow(base, p string) (int, error) {
	root, err := unix.Open(base, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: base, Err: err}
	}
	defer func() { _ = unix.Close(root) }()
	fd, err := unix.Openat2(root, "."+p, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_XDEV,
	})
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: p, Err: err}
	}
	return fd, nil
}

// create makes the directory where it is not there, and only then gives it its
// owner and mode. Directories on the way are root's. [EFS, "Creating access
// points": the root directory's creation info].
func create(s model.SharedDirectory, c Creation) error {
	at := "/"
	for name := range strings.SplitSeq(strings.Trim(s.Path, "/"), "/") {
		if name == "" {
			return nil // the root is there
		}
		parent, err := openBelow(s.Base, at)
		if err != nil {
			return err
		}
		at = path.Join(at, name)
		err = makeBelow(parent, name, at == s.Path, c)
		if err = errors.Join(err, unix.Close(parent)); err != nil {
			return err
		}
	}
	return nil
}

func makeBelow(parent int, name string, last bool, c Creation) error {
	if !last {
		c = Creation{Mode: 0o755}
	}
	err := unix.Mkdirat(parent, name, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	fd, err := unix.Openat(parent, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return errors.Join(unix.Fchown(fd, int(c.UID), int(c.GID)), unix.Fchmod(fd, c.Mode), unix.Close(fd))
}
