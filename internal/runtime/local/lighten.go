package local

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"

	"neargate/internal/runtime/local/disk"
	"neargate/internal/runtime/local/program"
	"neargate/internal/runtime/local/supervisor"
)

// wholeProgram is the program that this process runs.
const wholeProgram = "/proc/self/exe"

// lighten creates the program that supervisors run. They run the whole one until
// it is there, and where it cannot be.
func (e *Engine) lighten(ctx context.Context) {
	path, err := lightProgram(ctx, programDir(e.cfg.DataDir))
	if err != nil {
		e.log.Info("tasks take more memory than they need", "error", err)
	} else if path != "" {
		e.program.Store(&path)
	}
	debug.FreeOSMemory() // of the program's symbols, and all else that a start takes: an idle server would keep it for minutes
}

// supervisorProgram is what to run as a supervisor.
func (e *Engine) supervisorProgram() string {
	if p := e.program.Load(); p != nil {
		return *p
	}
	return wholeProgram
}

// programDir holds the lighter program and nothing else. libcontainer starts each
// process of a container from an overlay of the program's directory and the
// container's own, which must not lie in each other: else it copies the whole
// program into memory each time.
func programDir(dataDir string) string { return filepath.Join(runtimeDir(dataDir), "program") }

// lightProgram returns a path below dir, or "" when the program has nothing that
// could be left out. What an earlier process made is used again within one boot:
// it is not synced, so that a power cut may have spoilt it.
func lightProgram(ctx context.Context, dir string) (string, error) {
	id, err := program.ID(wholeProgram)
	if err != nil {
		return "", err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read the boot's ID: %w", err)
	}
	path := filepath.Join(dir, "program-"+id+"-"+strings.TrimSpace(string(boot)))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the program's directory: %w", err)
	}
	old, _ := filepath.Glob(filepath.Join(dir, "program-*")) // the pattern is sound
	for _, o := range old {
		_ = os.Remove(o) // supervisors that run it keep it
	}
	if err := roomFor(dir); err != nil {
		return "", err
	}
	n, err := program.Lighten(path+".new", wholeProgram, program.Unused()...)
	if err != nil || n == 0 {
		return "", err
	}
	if err := exec.CommandContext(ctx, path+".new", supervisor.ProbeArgument).Run(); err != nil {
		_ = os.Remove(path + ".new")
		return "", fmt.Errorf("try the lighter program: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return "", fmt.Errorf("keep the lighter program: %w", err)
	}
	return path, nil
}

// spareCopies is how many more copies of the program a disk must have room for
// before one is put there: it is a convenience, and must not fill the disk.
const spareCopies = 10

// roomFor fails when there is too little room on the disk for the program.
func roomFor(dir string) error {
	info, err := os.Stat(wholeProgram)
	if err != nil {
		return fmt.Errorf("read program: %w", err)
	}
	room, err := disk.Room(dir)
	if err != nil {
		return err
	}
	if room.Free < spareCopies*info.Size() {
		return fmt.Errorf("copy the program of %d MiB: the disk has only %d MiB left", info.Size()>>20, room.Free>>20)
	}
	return nil
}
