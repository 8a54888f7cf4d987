package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"neargate/internal/runtime/local/cgroup"
	"neargate/internal/runtime/local/confine"
	"neargate/internal/runtime/local/network"
	"neargate/internal/runtime/local/supervisor"
	"neargate/internal/tree"
)

// forwardingMark is there while ip_forward is on because of us.
const forwardingMark = runDir + "/forwarding.json"

// Cleanup removes everything that the instance of a data directory has on this
// machine: processes, cgroups, links, packet filters, and the runtime's files; of an
// ephemeral instance the whole data directory. It refuses while a process owns
// the instance, and is content when there is nothing.
func Cleanup(ctx context.Context, dataDir string) error {
	var in instance
	err := readJSON(instanceFile(dataDir), &in)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && !validID(in.ID)) {
		return nil
	}
	if err != nil {
		return err
	}
	machine, err := lockMachine()
	if err != nil {
		return err
	}
	defer func() { _ = machine.Close() }()
	return cleanup(ctx, in.ID, dataDir)
}

// cleanup does it, with the machine locked.
func cleanup(ctx context.Context, id, dataDir string) error {
	owner, err := lockInstance(id)
	if err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	defer func() { _ = owner.Close() }()
	var e entry
	if err := readJSON(entryFile(id), &e); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("clean up: %w", err)
	}
	var there instance
	if e.DataDir != "" && !sameDirectory(e.DataDir, dataDir) && readJSON(instanceFile(e.DataDir), &there) == nil && there.ID == id {
		return fmt.Errorf("clean up: %s is a copy: the tasks are those of %s", dataDir, e.DataDir)
	}
	err = errors.Join(killSupervisors(ctx, id, ""), removeCgroups(ctx, id), network.Remove(ctx, id))
	if err != nil { // the files stay, so that the next attempt knows what to look for
		return fmt.Errorf("clean up: %w", err)
	}
	files := runtimeDir(dataDir)
	if e.Ephemeral && e.DataDir == dataDir {
		files = dataDir
	}
	if err := tree.Remove(ctx, files); err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	return deregister(id)
}

// deregister forgets the instance; with the last one goes what all shared.
func deregister(id string) error {
	if err := os.RemoveAll(entryDir(id)); err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	if len(instances()) > 0 {
		return nil
	}
	err := errors.Join(network.RestoreForwarding(forwardingMark), confine.New(profileMark).Unload())
	if err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	if err := os.RemoveAll(runDir); err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	return nil
}

func removeCgroups(ctx context.Context, id string) error {
	layout, err := cgroup.Detect()
	if err != nil {
		return err
	}
	if err := layout.Remove(ctx, cgroupPath(id)); err != nil {
		return err
	}
	layout.RemoveEmpty(filepath.Dir(cgroupPath(id)))
	return nil
}

// abandoned reports whether nobody can come back to an instance whose process is
// dead: it was ephemeral, or its data directory was removed.
func (e entry) abandoned() bool {
	if e.Ephemeral {
		return true
	}
	_, err := os.Stat(instanceFile(e.DataDir))
	return errors.Is(err, fs.ErrNotExist)
}

// sweep cleans up after every abandoned instance but our own.
func sweep(ctx context.Context, log *slog.Logger, own string) {
	for _, id := range instances() {
		if id == own {
			continue
		}
		var e entry
		err := readJSON(entryFile(id), &e)
		if err == nil && !e.abandoned() {
			continue
		}
		owner, lockErr := lockInstance(id)
		if lockErr != nil {
			continue // alive
		}
		_ = owner.Close()
		if err != nil { // died before it had made anything
			_ = os.RemoveAll(entryDir(id))
			continue
		}
		log.Info("cleaning up after a dead process", "instance", id, "pid", e.PID)
		if err := cleanup(ctx, id, e.DataDir); err != nil {
			log.Warn("left something behind", "instance", id, "error", err)
		}
	}
}

// killPause is the time between two looks at a killed process.
const killPause = time.Millisecond

// killSupervisors kills the supervisors of an instance, or that of one task,
// and waits until they are gone. What they supervise dies with them.
func killSupervisors(ctx context.Context, id, task string) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		pids := supervisors(id, task)
		if len(pids) == 0 {
			return nil
		}
		for _, pid := range pids {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("kill supervisor %d: %w", pid, err)
			}
		}
		timer.Reset(killPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return fmt.Errorf("kill supervisors %v: %w", pids, context.Cause(ctx))
		}
	}
}

// supervisors finds their processes by their arguments, however they came to be
// forgotten. Dead ones that nobody has waited for have no arguments any more.
func supervisors(id, task string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var out []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		data, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if err != nil {
			continue
		}
		args := bytes.Split(data, []byte{0})
		if len(args) >= 4 && string(args[1]) == supervisor.Argument && string(args[2]) == id &&
			(task == "" || string(args[3]) == task) {
			out = append(out, pid)
		}
	}
	return out
}
