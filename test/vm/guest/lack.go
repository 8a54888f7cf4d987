package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"

	"neargate/test/vm/plan"
)

// loaderFile names the program by which the kernel loads modules.
const loaderFile = "/proc/sys/kernel/modprobe"

// controllerDir is where a controller is mounted that v2 must not have.
const controllerDir = "/mnt"

// deprive takes from the machine what a step must do without, and gives what
// brings it back.
func deprive(l *plan.Lacks) (restore func() error, err error) {
	if l == nil {
		return func() error { return nil }, nil
	}
	for _, m := range l.Loaded {
		if out, err := exec.Command("modprobe", m).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("load %s: %w: %s", m, err, out)
		}
	}
	loader, err := os.ReadFile(loaderFile)
	if err != nil {
		return nil, err
	}
	if l.Modules {
		if err := os.WriteFile(loaderFile, []byte("/bin/false"), 0); err != nil {
			return nil, err
		}
	}
	if l.Controller != "" {
		// A controller that a v1 hierarchy has is not in v2's.
		if err := unix.Mount("cgroup", controllerDir, "cgroup", 0, l.Controller); err != nil {
			return nil, fmt.Errorf("take controller %s: %w", l.Controller, err)
		}
	}
	return func() error {
		err := os.WriteFile(loaderFile, loader, 0)
		if l.Controller != "" {
			err = errors.Join(err, unix.Unmount(controllerDir, 0))
		}
		return err
	}, nil
}
