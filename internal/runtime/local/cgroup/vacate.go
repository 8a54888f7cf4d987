package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// initName is the cgroup of the processes that a container began with.
const initName = "init"

// vacateRounds bounds the moves after processes that start meanwhile.
const vacateRounds = 100

// vacate moves the processes in the root of the v2 hierarchy into a cgroup below
// it. In a container that root is the container's own cgroup, and no cgroup but
// the machine's root has both processes and children with controllers [kernel,
// "Control Group v2", No Internal Process Constraint].
func (l *Layout) vacate() error {
	leaf := filepath.Join(l.v2, initName)
	if err := os.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make cgroup: %w", err)
	}
	for range vacateRounds {
		data, err := os.ReadFile(filepath.Join(l.v2, "cgroup.procs"))
		if err != nil {
			return fmt.Errorf("list the processes of %s: %w", l.v2, err)
		}
		pids := strings.Fields(string(data))
		if len(pids) == 0 {
			return nil
		}
		for _, pid := range pids {
			if err := write(filepath.Join(leaf, "cgroup.procs"), pid); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("move process %s into %s: %w", pid, leaf, err)
			}
		}
	}
	return fmt.Errorf("move all processes into %s: there are always more", leaf)
}
