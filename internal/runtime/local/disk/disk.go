// Package disk measures directories and file systems.
package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// FileSystem is the room of a file system.
type FileSystem struct {
	Size, Free       int64 // bytes; Free without a reserve of the file system's own
	Files, FreeFiles int64 // both 0 where it does not count them
}

// Room returns the room of the file system that holds path.
func Room(path string) (FileSystem, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return FileSystem{}, fmt.Errorf("look at the file system of %s: %w", path, err)
	}
	return FileSystem{
		Size: int64(st.Blocks) * st.Bsize, Free: int64(st.Bavail) * st.Bsize,
		Files: int64(st.Files), FreeFiles: int64(st.Ffree),
	}, nil
}

// Used returns the bytes and the files that directories have on disk. Files with several names
// count once, other file systems mounted below do not count, and what vanishes
// meanwhile is passed over, as is a directory that is not there.
func Used(dirs ...string) (bytes, files int64, err error) {
	u := usage{seen: map[uint64]bool{}}
	for _, dir := range dirs {
		if err := u.add(dir); err != nil {
			return 0, 0, err
		}
	}
	return u.bytes, u.files, nil
}

type usage struct {
	bytes int64
	files int64
	dev   uint64
	seen  map[uint64]bool // inodes of files with several names
}

func (u *usage) add(dir string) error {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return nil
		}
		switch {
		case u.dev == 0:
			u.dev = st.Dev
		case st.Dev != u.dev && d.IsDir():
			return fs.SkipDir
		case st.Dev != u.dev:
			return nil
		}
		if st.Nlink > 1 && !d.IsDir() {
			if u.seen[st.Ino] {
				return nil
			}
			u.seen[st.Ino] = true
		}
		u.bytes += st.Blocks * 512
		u.files++
		return nil
	})
	if err != nil {
		return fmt.Errorf("measure %s: %w", dir, err)
	}
	return nil
}
