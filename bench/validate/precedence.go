package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"neargate/internal/runtime/local/cgroup"
)

// heavy is the weight of the run against the 1024 that a cgroup has by itself.
const heavy = "65536"

// takePrecedence gives the tasks' cgroup, and one of its own with the server
// and this process in it, a great weight. back undoes it. Only on cgroup v1.
func takePrecedence(server int) (back func(), err error) {
	cpu := filepath.Join(cgroup.Root, "cpu")
	tasks := filepath.Join(cpu, "neargate", "cpu.shares")
	// The cgroup comes with the first task, and goes when it is empty.
	if err := os.MkdirAll(filepath.Dir(tasks), 0o755); err != nil {
		return nil, err
	}
	before, err := os.ReadFile(tasks)
	if err != nil {
		return nil, fmt.Errorf("find the tasks' weight: %w", err)
	}
	own := filepath.Join(cpu, "neargate-validate-"+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(own, 0o755); err != nil {
		return nil, err
	}
	move := func(group string, pid int) error {
		return os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644)
	}
	back = func() {
		_ = os.WriteFile(tasks, before, 0o644) // gone when the last instance is
		_ = move(cpu, os.Getpid())
		_ = move(cpu, server)
		_ = os.Remove(own)
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(own, "cpu.shares"), []byte(heavy), 0o644),
		os.WriteFile(tasks, []byte(heavy), 0o644),
		move(own, os.Getpid()), move(own, server),
	)
	if err != nil {
		back()
		return nil, err
	}
	return back, nil
}
