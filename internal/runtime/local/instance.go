package local

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"neargate/internal/runtime/local/network"
)

// runDir is where every instance on the machine has a directory with its ID,
// gone at the next boot, as is all that it points at.
const runDir = "/run/neargate"

// instance is one data directory's identity, kept in it.
type instance struct {
	ID      string // 6 hex digits, part of the names of links, tables and cgroups
	Network network.State
}

// entry is an instance in runDir.
type entry struct {
	DataDir   string
	Ephemeral bool
	PID       int
}

// idBytes is how long an instance's ID is before it is written in hex.
const idBytes = 3

func validID(id string) bool {
	b, err := hex.DecodeString(id)
	return err == nil && len(b) == idBytes
}

func runtimeDir(dataDir string) string   { return filepath.Join(dataDir, "runtime") }
func instanceFile(dataDir string) string { return filepath.Join(runtimeDir(dataDir), "instance.json") }
func entryDir(id string) string          { return filepath.Join(runDir, id) }
func entryFile(id string) string         { return filepath.Join(entryDir(id), "instance.json") }

// cgroupPath is an instance's cgroup in every hierarchy.
func cgroupPath(id string) string { return "/neargate/" + id }

func readJSON(path string, to any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, to); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// writeJSON replaces the file as a whole.
func writeJSON(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.WriteFile(path+".tmp", data, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// loadInstance reads the data directory's identity, or gives it one.
func loadInstance(dataDir string) (instance, error) {
	var in instance
	err := readJSON(instanceFile(dataDir), &in)
	if err == nil && validID(in.ID) {
		return in, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return in, err
	}
	var id [idBytes]byte
	_, _ = rand.Read(id[:]) // never fails
	in = instance{ID: hex.EncodeToString(id[:])}
	if err := os.MkdirAll(runtimeDir(dataDir), 0o700); err != nil {
		return in, fmt.Errorf("make runtime directory: %w", err)
	}
	return in, writeJSON(instanceFile(dataDir), in)
}

// lock takes a lock file, without waiting unless told so. The kernel gives it
// back when the process ends, however it ends.
func lock(path string, wait bool) (*os.File, error) {
	how := unix.LOCK_EX
	if !wait {
		how |= unix.LOCK_NB
	}
	for {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, fmt.Errorf("lock: %w", err)
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("lock: %w", err)
		}
		if err = flock(f, how); err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if same(f, path) {
			return f, nil
		}
		_ = f.Close() // removed while we waited: its lock keeps nobody out
	}
}

func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// same says whether path still names the open file.
func same(f *os.File, path string) bool {
	ours, err := f.Stat()
	if err != nil {
		return false
	}
	theirs, err := os.Stat(path)
	return err == nil && os.SameFile(ours, theirs)
}

// lockMachine keeps other instances from choosing a subnet or sweeping meanwhile.
func lockMachine() (*os.File, error) { return lock(filepath.Join(runDir, "lock"), true) }

// lockInstance makes this process the instance's owner.
func lockInstance(id string) (*os.File, error) {
	f, err := lock(filepath.Join(entryDir(id), "lock"), false)
	if errors.Is(err, unix.EWOULDBLOCK) {
		var e entry
		_ = readJSON(entryFile(id), &e)
		return nil, fmt.Errorf("data directory is in use by process %d", e.PID)
	}
	return f, err
}

// instances lists the IDs in runDir.
func instances() []string {
	entries, err := os.ReadDir(runDir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() && validID(e.Name()) {
			out = append(out, e.Name())
		}
	}
	return out
}
