package supervisor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// readInRoot returns the content of a regular file of a container's root file
// system. It is the one way in which a supervisor reads what an image brings:
// symbolic links do not lead out of the root, what is no regular file of at most
// maxBytes is refused, and a device or a pipe is never opened, as opening alone
// can act or wait.
func readInRoot(root, path string, maxBytes int64) ([]byte, error) {
	found, err := findInRoot(root, path)
	if err != nil {
		return nil, fmt.Errorf("read the image's %s: %w", path, err)
	}
	defer func() { _ = found.Close() }()
	st, err := found.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the image's %s: %w", path, err)
	case !st.Mode().IsRegular():
		return nil, fmt.Errorf("read the image's %s: not a regular file", path)
	case st.Size() > maxBytes:
		return nil, fmt.Errorf("read the image's %s: %d bytes, more than the limit of %d", path, st.Size(), maxBytes)
	}
	// The same file again, now for reading: no name is looked up a second time.
	f, err := os.OpenFile(magic(found), os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("read the image's %s: %w", path, errors.Unwrap(err))
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes))
	if err != nil {
		return nil, fmt.Errorf("read the image's %s: %w", path, err)
	}
	return data, nil
}

// findInRoot returns a file as a place only: it can be looked at, not read.
func findInRoot(root, path string) (*os.File, error) {
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(dir) }()
	fd, err := unix.Openat2(dir, strings.TrimPrefix(path, "/"), &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}
