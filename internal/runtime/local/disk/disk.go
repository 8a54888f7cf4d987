// Package disk measures directories and file systems.
package disk

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"neargate/internal/tree"
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

// Used returns the bytes and the files that directories have on disk. Files with
// several names count once, other file systems mounted below do not count, and
// what vanishes meanwhile is passed over, as is a directory that is not there.
// Errors: tree.ErrTooDeep.
func Used(dirs ...string) (bytes, files int64, err error) {
	seen := map[uint64]bool{} // inodes of files with several names
	for _, dir := range dirs {
		err := tree.Walk(dir, func(st unix.Stat_t) {
			if st.Nlink > 1 && st.Mode&unix.S_IFMT != unix.S_IFDIR {
				if seen[st.Ino] {
					return
				}
				seen[st.Ino] = true
			}
			bytes += st.Blocks * 512
			files++
		})
		if err != nil {
			return 0, 0, err
		}
	}
	return bytes, files, nil
}

// Unlinked returns the bytes of files that have no name any more but are held
// open, on overlays and on the file system of dir, by the processes of which proc
// is the /proc.
func Unlinked(proc, dir string) (bytes int64) {
	var home unix.Stat_t
	if unix.Stat(dir, &home) != nil {
		home = unix.Stat_t{} // nothing is on it
	}
	links, _ := filepath.Glob(filepath.Join(proc, "[0-9]*/fd/*")) // the pattern is sound
	type file struct{ dev, ino uint64 }
	seen := map[file]bool{}
	for _, link := range links {
		var st unix.Stat_t
		if unix.Stat(link, &st) != nil || st.Nlink > 0 || st.Mode&unix.S_IFMT != unix.S_IFREG || seen[file{st.Dev, st.Ino}] {
			continue
		}
		var fs unix.Statfs_t
		if st.Dev != home.Dev && (unix.Statfs(link, &fs) != nil || fs.Type != unix.OVERLAYFS_SUPER_MAGIC) {
			continue
		}
		seen[file{st.Dev, st.Ino}] = true
		bytes += st.Blocks * 512
	}
	return bytes
}
