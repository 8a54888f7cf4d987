package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"

	"neargate/test/vm/plan"
)

// settings is where the kernel's settings lie.
const settings = "/proc/sys"

// loaderSetting names the program by which the kernel loads modules.
const loaderSetting = "kernel/modprobe"

// controllerDir is where a controller is mounted that v2 must not have.
const controllerDir = "/mnt"

// deprive takes from the machine what a step must do without, and returns what
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
	changes := map[string]string{}
	maps.Copy(changes, l.Settings)
	if l.Modules {
		changes[loaderSetting] = "/bin/false"
	}
	before, err := change(changes)
	if err != nil {
		return nil, err
	}
	if l.Controller != "" {
		// A controller that a v1 hierarchy has is not in v2's.
		if err := unix.Mount("cgroup", controllerDir, "cgroup", 0, l.Controller); err != nil {
			return nil, fmt.Errorf("take controller %s: %w", l.Controller, err)
		}
	}
	return func() error {
		_, err := change(before)
		if l.Controller != "" {
			err = errors.Join(err, unix.Unmount(controllerDir, 0))
		}
		return err
	}, nil
}

// change writes settings and returns what they were.
func change(to map[string]string) (before map[string]string, err error) {
	before = map[string]string{}
	for name, value := range to {
		file := filepath.Join(settings, name)
		data, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(file, []byte(value), 0)
		}
		if err != nil {
			return nil, fmt.Errorf("change setting %s: %w", name, err)
		}
		before[name] = string(data)
	}
	return before, nil
}
