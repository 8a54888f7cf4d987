package supervisor

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// middleStage is what libcontainer calls the process between the one that it
// starts and the one that becomes the user's program. It ends by itself, and
// whoever waits for it needs nothing of it.
const middleStage = "runc:[1:CHILD]"

// child is a process whose parent is this one.
type child struct {
	pid  int
	name string
}

// reapOrphans waits for what a start in the container that failed has left: when
// libcontainer's first process fails, as it does when the container is ending,
// it forgets those that this one had made. They are ours then, and the
// container's last process cannot end before they are gone. joining is held: no
// other start is under way.
func (c *container) reapOrphans() {
	for _, p := range children() {
		if p.name == middleStage {
			waitFor(p.pid)
		}
	}
	first, err := c.process.Pid()
	if err != nil {
		return // it has never run
	}
	for _, p := range children() {
		if p.pid != first && !c.joined[p.pid] && c.has(p.pid) {
			_ = unix.Kill(p.pid, unix.SIGKILL)
			waitFor(p.pid)
		}
	}
}

func waitFor(pid int) {
	for {
		if _, err := unix.Wait4(pid, nil, 0, nil); !errors.Is(err, unix.EINTR) {
			return // another has waited for it, or it is gone now
		}
	}
}

// children finds them by /proc, as the kernel shows it in this pid namespace.
func children() []child {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var out []child
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue // it has just gone
		}
		if name, parent := parseStat(stat); parent == os.Getpid() {
			out = append(out, child{pid, name})
		}
	}
	return out
}

// parseStat reads "PID (NAME) STATE PARENT …", where the name may have anything
// in it.
func parseStat(stat []byte) (name string, parent int) {
	begin, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if begin < 0 || end < begin {
		return "", 0
	}
	if rest := bytes.Fields(stat[end+1:]); len(rest) > 1 {
		parent, _ = strconv.Atoi(string(rest[1]))
	}
	return string(stat[begin+1 : end]), parent
}

// pidNamespace names the pid namespace that a process is in, also after its end.
func pidNamespace(pid int) string {
	name, _ := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "ns/pid"))
	return name
}
