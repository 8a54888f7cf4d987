package supervisor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// containerDir is where a container's writable layer, mount point and
// libcontainer's state lie.
func containerDir(taskDir, name string) string { return filepath.Join(taskDir, "containers", name) }

// mountRootfs joins the image's layers and a fresh writable one into the
// container's root file system and returns its path. The mount is in this mount
// namespace only and goes with it.
func mountRootfs(o *Order, c *Container) (string, error) {
	dir := containerDir(o.Dir, c.Name)
	root, upper, work := filepath.Join(dir, "rootfs"), filepath.Join(dir, "upper"), filepath.Join(dir, "work")
	for _, d := range []string{root, upper, work} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return "", fmt.Errorf("make root file system: %w", err)
		}
	}
	if len(c.Layers) == 0 {
		return "", errors.New("mount root file system: the image has no layers")
	}
	if err := (overlay{upper, work, c.Layers, o.Labels}).mount(root); err != nil {
		return "", fmt.Errorf("mount root file system: %w", err)
	}
	return root, nil
}
