package supervisor

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
)

// hierarchies are the cgroup v1 controllers that a container needs. libcontainer
// makes a cgroup in every hierarchy it finds mounted, each at a cost.
func hierarchies() []string { return []string{"cpu", "cpuacct", "memory", "pids", "devices"} }

// hideHierarchies unmounts every other cgroup v1 hierarchy, in this mount
// namespace only. With cgroup v2 there is nothing to hide.
func hideHierarchies() error {
	data, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return fmt.Errorf("read mounts: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[2] != "cgroup" {
			continue
		}
		wanted := slices.ContainsFunc(strings.Split(fields[3], ","), func(option string) bool {
			return slices.Contains(hierarchies(), option)
		})
		if wanted {
			continue
		}
		if err := syscall.Unmount(fields[1], syscall.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount %s: %w", fields[1], err)
		}
	}
	return nil
}
