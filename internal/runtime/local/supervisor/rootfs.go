package supervisor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// containerDir is where a container's writable layer, mount point and
// libcontainer's state lie.
func containerDir(taskDir, name string) string { return filepath.Join(taskDir, "containers", name) }

// mountRootfs joins the image's layers and a fresh writable one into the
// container's root file system and gives its path. The mount is in this mount
// namespace only and goes with it.
func mountRootfs(taskDir string, c *Container) (string, error) {
	dir := containerDir(taskDir, c.Name)
	root, upper, work := filepath.Join(dir, "rootfs"), filepath.Join(dir, "upper"), filepath.Join(dir, "work")
	for _, d := range []string{root, upper, work} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return "", fmt.Errorf("make root file system: %w", err)
		}
	}
	if len(c.Layers) == 0 {
		return "", errors.New("mount root file system: the image has no layers")
	}
	if err := mountOverlay(root, upper, work, c.Layers); err != nil {
		return "", fmt.Errorf("mount root file system: %w", err)
	}
	return root, nil
}

// mountOverlay uses the mount API that takes one layer at a time: mount(2) has
// a page for all options together, which is too little for deep images.
// Kernels before 6.5 do not know "lowerdir+", and no path may have more than 255
// bytes there.
func mountOverlay(root, upper, work string, layers []string) error {
	fs, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return mountOverlayClassic(root, upper, work, layers)
	}
	defer func() { _ = unix.Close(fs) }()
	for _, layer := range slices.Backward(layers) {
		if err := unix.FsconfigSetString(fs, "lowerdir+", layer); err != nil {
			return mountOverlayClassic(root, upper, work, layers)
		}
	}
	for _, option := range [][2]string{{"upperdir", upper}, {"workdir", work}} {
		if err := unix.FsconfigSetString(fs, option[0], option[1]); err != nil {
			return mountOverlayClassic(root, upper, work, layers)
		}
	}
	// The writable layer is thrown away with the task: nothing need be synced.
	_ = unix.FsconfigSetFlag(fs, "volatile")
	if err := unix.FsconfigCreate(fs); err != nil {
		return fmt.Errorf("make overlay: %w", err)
	}
	mnt, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make overlay: %w", err)
	}
	defer func() { _ = unix.Close(mnt) }()
	if err := unix.MoveMount(mnt, "", unix.AT_FDCWD, root, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("place overlay: %w", err)
	}
	return nil
}

func mountOverlayClassic(root, upper, work string, layers []string) error {
	escape := strings.NewReplacer(`\`, `\\`, `:`, `\:`, `,`, `\,`)
	lower := make([]string, 0, len(layers))
	for _, layer := range slices.Backward(layers) {
		lower = append(lower, escape.Replace(layer))
	}
	data := "lowerdir=" + strings.Join(lower, ":") +
		",upperdir=" + escape.Replace(upper) + ",workdir=" + escape.Replace(work)
	if len(data) >= os.Getpagesize() {
		return fmt.Errorf("the image has too many layers (%d) for this kernel", len(layers))
	}
	return unix.Mount("overlay", root, "overlay", 0, data)
}

// openInRoot opens a file of the container's root file system. Symbolic links
// of the image cannot lead out of it.
func openInRoot(root, path string) (*os.File, error) {
	dir, err := os.Open(root)
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	fd, err := unix.Openat2(int(dir.Fd()), strings.TrimPrefix(path, "/"), &unix.OpenHow{
		Flags: unix.O_RDONLY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT,
	})
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}
