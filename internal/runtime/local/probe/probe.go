// Package probe tries on this machine what a task needs of its kernel: for real,
// by the code that tasks use, in namespaces of a process that ends at once, so
// that nothing stays behind whatever happens. It reads no version and no
// configuration.
package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// Argument is the hidden first argument of a process that probes. A directory
// follows it, or nothing.
const Argument = "machine-probe"

// limit bounds a probe; loading modules from a slow disk takes its time.
const limit = 20 * time.Second

// Lack is what tasks miss here.
type Lack struct {
	What string // one line
	Hint string // what to do about it
}

// Machine tries everything that does not depend on a directory. It returns nil
// when nothing is missing.
func Machine(ctx context.Context) (*Lack, error) {
	return run(ctx, allNamespaces())
}

// Directory tries whether containers can keep what they write below dir, where
// it makes a directory of its own. It returns nil when they can.
func Directory(ctx context.Context, dir string) (*Lack, error) {
	return run(ctx, unix.CLONE_NEWNS|unix.CLONE_NEWPID, dir)
}

// run starts this same program in new namespaces and takes its answer.
func run(ctx context.Context, flags uintptr, args ...string) (*Lack, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out, err := command(ctx, flags, args...).Output()
	if err != nil {
		if l := missingNamespace(); l != nil {
			return l, nil
		}
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
		}
		return nil, fmt.Errorf("probe the machine: %w", err)
	}
	var l Lack
	switch err := json.Unmarshal(out, &l); {
	case len(out) == 0:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the probe's answer: %w", err)
	}
	return &l, nil
}

func command(ctx context.Context, flags uintptr, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = append([]string{"neargate", Argument}, args...)
	cmd.Env = []string{"GOMAXPROCS=1"}
	cmd.Dir = "/"
	cmd.SysProcAttr = &unix.SysProcAttr{Cloneflags: flags, Pdeathsig: unix.SIGKILL}
	return cmd
}

// Main is the probing process. It returns its exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	steps := []func() *Lack{enter, openWithin, overlay, seccomp, links, packetFilter}
	if len(args) > 0 {
		steps = []func() *Lack{enter, func() *Lack { return overlayIn(args[0]) }}
	}
	for _, step := range steps {
		l := step()
		if l == nil {
			continue
		}
		if err := json.NewEncoder(stdout).Encode(l); err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		return 0
	}
	return 0
}
