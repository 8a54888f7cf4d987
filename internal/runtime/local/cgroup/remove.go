package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// removeRetry is the pause between two looks at a cgroup that still holds
// processes, which are killed but need a moment to be gone.
const removeRetry = 2 * time.Millisecond

// Remove kills what still runs in the cgroup and below it, and removes it from
// every hierarchy. It waits until that is done or ctx ends.
func (l *Layout) Remove(ctx context.Context, path string) error {
	if strings.Trim(path, "/") == "" {
		return errors.New("remove cgroup: the root is not ours")
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		err := l.removeOnce(path)
		if err == nil {
			return nil
		}
		timer.Reset(removeRetry)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return fmt.Errorf("remove cgroup: %w", errors.Join(err, context.Cause(ctx)))
		}
	}
}

func (l *Layout) removeOnce(path string) error {
	for _, dir := range l.dirs {
		top := filepath.Join(dir, path)
		if err := unix.Rmdir(top); err == nil || errors.Is(err, unix.ENOENT) {
			continue
		}
		if err := removeTree(top); err != nil {
			return err
		}
	}
	return nil
}

// removeTree removes the cgroups below top, deepest first, and then top. It
// kills whatever it finds inside.
func removeTree(top string) error {
	var dirs []string
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil // what vanishes meanwhile is what we want
	})
	if err != nil {
		return err
	}
	for _, dir := range slices.Backward(dirs) {
		if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
			killAll(dir)
			return &os.PathError{Op: "rmdir", Path: dir, Err: err}
		}
	}
	return nil
}

func killAll(dir string) {
	data, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return
	}
	for field := range strings.FieldsSeq(string(data)) {
		if pid, err := strconv.Atoi(field); err == nil && pid > 1 && pid != os.Getpid() {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
}

// RemoveEmpty removes the cgroup where it has neither processes nor children.
func (l *Layout) RemoveEmpty(path string) {
	for _, dir := range l.dirs {
		_ = unix.Rmdir(filepath.Join(dir, path))
	}
}
