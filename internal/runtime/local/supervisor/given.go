package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/opencontainers/runc/libcontainer/configs"
	"golang.org/x/sys/unix"
)

// File is a file that a container finds, and cannot write.
type File struct{ Path, Text string }

// givenFile is where the nth file of a container lies.
func givenFile(o *Order, c *Container, n int) string {
	return filepath.Join(o.Dir, "files", c.Name, strconv.Itoa(n))
}

// writeFiles writes the files of all containers into the task's directory.
func writeFiles(o *Order) error {
	for i := range o.Containers {
		c := &o.Containers[i]
		for n, f := range c.Files {
			path := givenFile(o, c, n)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return fmt.Errorf("make files of container %s: %w", c.Name, err)
			}
			if err := os.WriteFile(path, []byte(f.Text), 0o644); err != nil {
				return fmt.Errorf("write %s of container %s: %w", f.Path, c.Name, err)
			}
			if err := o.Labels.Mark(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// bindFiles returns the mounts of a container's files.
func bindFiles(o *Order, c *Container) []*configs.Mount {
	var all []*configs.Mount
	for n, f := range c.Files {
		all = append(all, bind(givenFile(o, c, n), f.Path, unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV))
	}
	return all
}
