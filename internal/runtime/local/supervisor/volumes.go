package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// VolumeDir is where the task's nth volume lies.
func VolumeDir(taskDir string, n int) string {
	return filepath.Join(volumesDir(taskDir), strconv.Itoa(n))
}

// SharedDir is where a container's nth mount is put first when it is a shared one.
// It is no place for files: what is there counts for no task.
func SharedDir(taskDir, container string, n int) string {
	return filepath.Join(taskDir, "shared", container, strconv.Itoa(n))
}

func volumesDir(taskDir string) string { return filepath.Join(taskDir, "volumes") }

// makeVolumes makes the directories that containers mount, as Fargate does:
// root's, mode 0755. [ECS, "Use bind mounts"].
func makeVolumes(o *Order) error {
	if err := os.MkdirAll(volumesDir(o.Dir), 0o755); err != nil {
		return fmt.Errorf("make volumes: %w", err)
	}
	for _, c := range o.Containers {
		for _, m := range c.Mounts {
			if err := os.MkdirAll(m.Source, 0o755); err != nil {
				return fmt.Errorf("make volume of container %s at %s: %w", c.Name, m.Path, err)
			}
			if m.Shared != nil {
				continue // its files have labels of their own
			}
			if err := o.Labels.Mark(m.Source); err != nil {
				return err
			}
		}
	}
	return nil
}
