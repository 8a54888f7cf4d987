// Package cgroup creates, limits, reads and removes the cgroups of tasks, on
// cgroup v1 (every controller its own hierarchy) and v2. Paths are relative to
// the root of the hierarchies, the same in each. It is safe for use by several
// goroutines as long as they work on different paths.
package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Root is where every Linux system mounts its cgroups.
const Root = "/sys/fs/cgroup"

// Controllers are those that a task needs. On v2 "cpuacct" is part of cpu and
// "devices" is not a controller.
func controllers(unified bool) []string {
	if unified {
		// memory first: where processes are in the way it is refused, whereas cpu
		// would be handed down and shut the way out for them.
		return []string{"memory", "cpu", "pids"}
	}
	return []string{"cpu", "cpuacct", "memory", "pids", "devices"}
}

// Layout is how this machine mounts its cgroups. Immutable.
type Layout struct {
	unified bool
	mounts  map[string]string // controller to mount point; v2: "" only
	dirs    []string          // every mount point that tasks have a cgroup in
	v2      string            // where the v2 hierarchy is mounted, "" for nowhere
	io      bool              // v2 counts what goes to and from disks
}

// Detect finds the machine's layout. The error names the controller that is
// missing.
func Detect() (*Layout, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(Root, &st); err != nil {
		return nil, fmt.Errorf("find cgroups: nothing is mounted at %s: %w", Root, err)
	}
	if st.Type == unix.CGROUP2_SUPER_MAGIC {
		return detectUnified()
	}
	l := &Layout{mounts: map[string]string{}}
	data, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, fmt.Errorf("find cgroups: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 4 || filepath.Dir(fields[1]) != Root {
			continue
		}
		switch fields[2] {
		case "cgroup2":
			l.dirs, l.v2 = append(l.dirs, fields[1]), fields[1] // hybrid: processes are sorted there, too
		case "cgroup":
			for option := range strings.SplitSeq(fields[3], ",") {
				if slices.Contains(controllers(false), option) {
					l.mounts[option] = fields[1]
					if !slices.Contains(l.dirs, fields[1]) {
						l.dirs = append(l.dirs, fields[1])
					}
				}
			}
		}
	}
	for _, c := range controllers(false) {
		if l.mounts[c] == "" {
			return nil, fmt.Errorf("find cgroups: the %s controller is not mounted below %s", c, Root)
		}
	}
	return l, nil
}

func detectUnified() (*Layout, error) {
	data, err := os.ReadFile(filepath.Join(Root, "cgroup.controllers"))
	if err != nil {
		return nil, fmt.Errorf("find cgroups: %w", err)
	}
	have := strings.Fields(string(data))
	for _, c := range controllers(true) {
		if !slices.Contains(have, c) {
			return nil, fmt.Errorf("find cgroups: the %s controller is not available in %s", c, Root)
		}
	}
	return &Layout{unified: true, mounts: map[string]string{"": Root}, dirs: []string{Root}, v2: Root, io: slices.Contains(have, "io")}, nil
}

// Open creates the cgroup in the v2 hierarchy and opens it, so that a process can
// be started inside. The file is nil where that hierarchy is not mounted.
func (l *Layout) Open(path string) (*os.File, error) {
	if l.v2 == "" {
		return nil, nil
	}
	dir := filepath.Join(l.v2, path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make cgroup: %w", err)
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open cgroup: %w", err)
	}
	return f, nil
}

// Charge has the cgroup pay for the memory that a process takes from now on,
// where Open has not put it there: a process cannot be started in a cgroup of the
// older hierarchies. Of these it is the memory's alone, as each move waits for
// all CPUs.
func (l *Layout) Charge(path string, pid int) error {
	if l.unified {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(l.mounts["memory"], path), 0o755); err != nil {
		return fmt.Errorf("make cgroup: %w", err)
	}
	if err := write(l.file("memory", path, "cgroup.procs"), strconv.Itoa(pid)); err != nil {
		return fmt.Errorf("move process into cgroup: %w", err)
	}
	return nil
}

// Enclose creates a cgroup within one whose processes it shares the limits of, so
// that those in it can be ended together by Remove. It returns the controller
// whose hierarchy the cgroup is in, "" for the one of v2.
func (l *Layout) Enclose(path string) (controller string, err error) {
	if !l.unified {
		controller = "pids"
	}
	if err := os.Mkdir(filepath.Join(l.mounts[controller], path), 0o755); err != nil {
		return "", fmt.Errorf("make cgroup: %w", err)
	}
	return controller, nil
}

// file is the path of a controller's file in the cgroup.
func (l *Layout) file(controller, path, name string) string {
	if l.unified {
		controller = ""
	}
	return filepath.Join(l.mounts[controller], path, name)
}

func write(path, value string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// Make creates the cgroup in every hierarchy.
func (l *Layout) Make(path string) error {
	for _, dir := range l.dirs {
		if err := os.MkdirAll(filepath.Join(dir, path), 0o755); err != nil {
			return fmt.Errorf("make cgroup: %w", err)
		}
	}
	if l.unified {
		return l.delegate(path)
	}
	return nil
}

// delegate hands the controllers down to the cgroup's children, from the root on.
func (l *Layout) delegate(path string) error {
	handed := controllers(true)
	if l.io {
		handed = append(handed, "io")
	}
	dir := l.v2
	for part := range strings.SplitSeq("/"+strings.Trim(path, "/"), "/") {
		dir = filepath.Join(dir, part)
		for _, c := range handed {
			err := write(filepath.Join(dir, "cgroup.subtree_control"), "+"+c)
			if errors.Is(err, unix.EBUSY) && dir == l.v2 {
				if err = l.vacate(); err == nil {
					err = write(filepath.Join(dir, "cgroup.subtree_control"), "+"+c)
				}
			}
			if err != nil {
				return fmt.Errorf("hand controller %s down to %s: %w", c, dir, err)
			}
		}
	}
	return nil
}

// Paths lists the cgroups directly below path.
func (l *Layout) Paths(path string) ([]string, error) {
	var names []string
	for _, dir := range l.dirs {
		entries, err := os.ReadDir(filepath.Join(dir, path))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list cgroups: %w", err)
		}
		for _, e := range entries {
			if p := filepath.Join(path, e.Name()); e.IsDir() && !slices.Contains(names, p) {
				names = append(names, p)
			}
		}
	}
	return names, nil
}
