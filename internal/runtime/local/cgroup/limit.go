package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// LimitMemory sets the hard limit in bytes for the cgroup and all below it,
// swap included.
func (l *Layout) LimitMemory(path string, bytes int64) error {
	value := strconv.FormatInt(bytes, 10)
	if l.unified {
		if err := write(l.file("memory", path, "memory.max"), value); err != nil {
			return fmt.Errorf("limit memory: %w", err)
		}
		return optional(write(l.file("memory", path, "memory.swap.max"), "0"))
	}
	// Kernels before 5.11 count the children only when told so.
	if err := optional(write(l.file("memory", path, "memory.use_hierarchy"), "1")); err != nil &&
		!errors.Is(err, os.ErrPermission) {
		return err
	}
	if err := write(l.file("memory", path, "memory.limit_in_bytes"), value); err != nil {
		return fmt.Errorf("limit memory: %w", err)
	}
	return optional(write(l.file("memory", path, "memory.memsw.limit_in_bytes"), value))
}

// optional forgives files that kernels may be built without.
func optional(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("limit memory: %w", err)
}

// LimitCPU allows the cgroup and all below it quota of CPU time in each period.
func (l *Layout) LimitCPU(path string, quota, period time.Duration) error {
	var err error
	if l.unified {
		err = write(l.file("cpu", path, "cpu.max"), fmt.Sprintf("%d %d", quota.Microseconds(), period.Microseconds()))
	} else {
		err = errors.Join(
			write(l.file("cpu", path, "cpu.cfs_period_us"), strconv.FormatInt(period.Microseconds(), 10)),
			write(l.file("cpu", path, "cpu.cfs_quota_us"), strconv.FormatInt(quota.Microseconds(), 10)))
	}
	if err != nil {
		return fmt.Errorf("limit CPU: %w", err)
	}
	return nil
}

// OOMKills counts the processes of this very cgroup that the kernel killed for
// want of memory.
func (l *Layout) OOMKills(path string) (int, error) {
	name := "memory.oom_control"
	if l.unified {
		name = "memory.events"
	}
	data, err := os.ReadFile(l.file("memory", path, name))
	if err != nil {
		return 0, fmt.Errorf("count OOM kills: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return strconv.Atoi(strings.TrimSpace(n))
		}
	}
	return 0, nil
}
