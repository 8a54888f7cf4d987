package supervisor

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/opencontainers/runc/libcontainer/exeseal"
	"golang.org/x/sys/unix"
)

// holder is the first process of a pid namespace that containers join: of one
// container with an init process, or of all that share their processes. It is
// this program again, so that no image needs to have one. It reaps what the
// containers' programs leave behind, and its end is the end of all in there.
//
// It is no part of any container: what containers see of it must not lead out of
// them. So it runs from a sealed copy, in an empty root, as nobody, without
// capabilities and under the containers' filter. And the namespace is not the
// supervisor's: whoever could see that one would see the machine's files.
type holder struct {
	cmd *exec.Cmd
}

// newHolder starts one. dir is a directory of the task's.
func newHolder(dir string, filter []byte) (*holder, error) {
	program, err := exeseal.CloneSelfExe(dir)
	if err != nil {
		return nil, fmt.Errorf("hold pid namespace: %w", err)
	}
	defer func() { _ = program.Close() }()
	gate, child, err := newGate()
	if err != nil {
		return nil, err
	}
	defer gate.close()
	cmd := &exec.Cmd{
		Path: "/proc/self/fd/" + strconv.Itoa(holderProgramFD), Args: []string{"neargate", HolderArgument}, Dir: "/",
		Env:        []string{"GOMAXPROCS=1", "GOGC=50"},
		ExtraFiles: []*os.File{child, program}, // gateFD, holderProgramFD
		SysProcAttr: &unix.SysProcAttr{
			Setsid: true, Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL,
		},
	}
	err = cmd.Start()
	_ = child.Close()
	if err != nil {
		return nil, fmt.Errorf("hold pid namespace: %w", err)
	}
	h := &holder{cmd}
	if err := gate.install(filter); err != nil {
		h.end()
		return nil, err
	}
	return h, nil
}

// path is that of the namespace.
func (h *holder) path() string { return filepath.Join("/proc", strconv.Itoa(h.pid()), "ns/pid") }

func (h *holder) pid() int { return h.cmd.Process.Pid }

// end ends all processes of the namespace and returns when they are gone.
func (h *holder) end() {
	_ = h.cmd.Process.Kill()
	_ = h.cmd.Wait()
}
