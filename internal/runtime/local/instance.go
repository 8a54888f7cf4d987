package local

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"neargate/internal/runtime/local/network"
	"neargate/internal/store/durable"
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
	Network   network.State
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

// writeJSON replaces the file as a whole. It is for what means something only
// until the machine next boots; what must outlast a power cut needs
// durable.WriteJSON.
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

// loadInstance reads the data directory's identity, or creates one; known
// reports whether it is on disk. When the file has lost its content, the
// identity is that of the directory's entry in runDir, under which tasks may
// run; without an entry, none of it is left on the machine and a new one serves
// as well.
func loadInstance(dataDir string, log *slog.Logger) (in instance, known bool, err error) {
	err = readJSON(instanceFile(dataDir), &in)
	switch {
	case err == nil && validID(in.ID):
		return in, true, nil
	case errors.Is(err, fs.ErrNotExist):
	case err != nil && unreadable(err):
		return in, false, err
	default:
		log.Warn("the instance's file has lost its content; it is written anew", "file", instanceFile(dataDir), "error", err)
	}
	if in, ok := registered(dataDir); ok {
		return in, false, nil
	}
	return newInstance(), false, nil
}

func newInstance() instance {
	var id [idBytes]byte
	_, _ = rand.Read(id[:]) // never fails
	return instance{ID: hex.EncodeToString(id[:])}
}

// Moved is the error of a data directory whose tasks run from where it was.
type Moved struct { //nolint:errname // it reads as local.Moved
	From  string
	Tasks int
}

// Error names the place.
func (m *Moved) Error() string {
	return fmt.Sprintf("the data directory was moved while %d of its tasks run, from %s", m.Tasks, m.From)
}

// settle sees to an identity that this machine knows of another directory. That
// of a copy is the original's: the copy gets one of its own, as its tasks would
// else be taken for the original's, and ended. A directory that was moved keeps
// its identity, unless tasks run that write to where it was. Errors: *Moved.
func (e *Engine) settle(in instance, known bool) (instance, bool, error) {
	var was entry
	found := readJSON(entryFile(in.ID), &was) == nil
	if !known || !found || sameDirectory(was.DataDir, e.cfg.DataDir) {
		return in, known, nil
	}
	var there instance
	if readJSON(instanceFile(was.DataDir), &there) == nil && there.ID == in.ID {
		e.log.Warn("the data directory is a copy; it gets a network and tasks of its own", "of", was.DataDir)
		return newInstance(), false, nil
	}
	if n := len(supervisors(in.ID, "")); n > 0 {
		return in, known, &Moved{From: was.DataDir, Tasks: n}
	}
	return in, known, nil
}

func sameDirectory(a, b string) bool {
	if a == b {
		return true
	}
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// unreadable reports whether an error is the system's, not the content's.
func unreadable(err error) bool {
	_, ok := errors.AsType[*fs.PathError](err)
	return ok
}

// registered returns the instance that the data directory has in runDir.
func registered(dataDir string) (instance, bool) {
	for _, id := range instances() {
		var e entry
		if readJSON(entryFile(id), &e) == nil && e.DataDir == dataDir {
			return instance{ID: id, Network: e.Network}, true
		}
	}
	return instance{}, false
}

// saveInstance writes the identity so that it outlasts a power cut.
func saveInstance(dataDir string, in instance) error {
	if err := os.MkdirAll(runtimeDir(dataDir), 0o700); err != nil {
		return fmt.Errorf("make runtime directory: %w", err)
	}
	return durable.WriteJSON(instanceFile(dataDir), in)
}

// addressesAhead is how many addresses are given out between two writes of the
// instance's file. A new process begins after all of them, so that it does not
// soon give an address again.
const addressesAhead = 64

// ahead returns st as it will be when one more address has been given out.
func ahead(st network.State) network.State {
	if st.Last = st.Last.Next(); !st.Subnet.Contains(st.Last) {
		st.Last = st.Subnet.Addr()
	}
	return st
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

// same reports whether path still names the open file.
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
