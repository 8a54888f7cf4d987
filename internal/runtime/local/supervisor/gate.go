package supervisor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/opencontainers/runc/libcontainer"
	_ "github.com/opencontainers/runc/libcontainer/nsenter" // joins the namespaces before Go starts
	"golang.org/x/sys/unix"

	"neargate/internal/runtime/local/seccomp"
)

// InitArgument is the hidden first argument of a container's first process, and
// of one started in it later. libcontainer sets it.
const InitArgument = "init"

// gateFD is the descriptor on which such a process finds its gate.
const gateFD = 3

// gateLimit is how long a container's process may take to install its filter.
const gateLimit = 10 * time.Second

// gate is how the seccomp filter gets into a container's process. libcontainer
// without libseccomp cannot do it, and the filter must not be there before the
// process has done its mounts. So a second thread of the process waits at the
// gate while the first prepares all and then stands, blocked, before exec. Then
// the supervisor hands the filter in, and the thread puts it on the whole
// process.
type gate struct{ conn *os.File }

// newGate returns the supervisor's end and the process's.
func newGate() (gate, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return gate{}, nil, fmt.Errorf("make gate: %w", err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		return gate{}, nil, fmt.Errorf("make gate: %w", err)
	}
	return gate{os.NewFile(uintptr(fds[0]), "gate")}, os.NewFile(uintptr(fds[1]), "gate"), nil
}

func (g gate) close() { _ = g.conn.Close() }

// send hands the filter in.
func (g gate) send(filter []byte) error {
	msg := binary.NativeEndian.AppendUint32(nil, uint32(len(filter)))
	if _, err := g.conn.Write(append(msg, filter...)); err != nil {
		return fmt.Errorf("hand in seccomp filter: %w", err)
	}
	return nil
}

// install hands the filter in and waits until it is in force.
func (g gate) install(filter []byte) error {
	if err := g.conn.SetDeadline(time.Now().Add(gateLimit)); err != nil {
		return fmt.Errorf("hand in seccomp filter: %w", err)
	}
	if err := g.send(filter); err != nil {
		return err
	}
	answer, err := io.ReadAll(io.LimitReader(g.conn, 4<<10))
	if err != nil {
		return fmt.Errorf("wait for seccomp filter: %w", err)
	}
	if string(answer) != installed {
		return errors.New("wait for seccomp filter: " + strings.TrimSpace(string(answer)))
	}
	return nil
}

// initFailed is the exit code that libcontainer, too, ends such a process with.
const initFailed = 255

// installed is the answer through the gate when all went well; anything else is
// the error.
const installed = "installed"

// Init is the whole life of a container's process up to the user's program.
func Init() {
	unix.CloseOnExec(gateFD)
	runtime.LockOSThread() // this thread's credentials are those of the user's program
	// Away from whoever started the server, into a session keyring of its own.
	_, _, errno := unix.Syscall(unix.SYS_KEYCTL, unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0)
	if errno != 0 && errno != unix.ENOSYS {
		fmt.Fprintln(os.Stderr, "make session keyring:", errno)
		os.Exit(initFailed) //nolint:forbidigo // a process of its own
	}
	if os.Getenv("_LIBCONTAINER_INITTYPE") == "setns" { //nolint:forbidigo // libcontainer's own message
		// A process that joins a container mounts nothing: the filter can
		// come first, and nobody stops it later.
		passGate()
	} else {
		go passGate()
	}
	libcontainer.Init()
}

// passGate takes the filter, installs it and answers.
func passGate() {
	// Not an *os.File: its finalizer could close the number when it has
	// become something else.
	answer := installed
	if err := takeFilter(gateFD); err != nil {
		answer = err.Error()
	}
	_, _ = unix.Write(gateFD, []byte(answer))
	_ = unix.Close(gateFD)
	if answer != installed {
		os.Exit(initFailed) //nolint:forbidigo // as above
	}
}

func takeFilter(fd int) error {
	var size [4]byte
	if err := readFull(fd, size[:]); err != nil {
		return err
	}
	n := binary.NativeEndian.Uint32(size[:])
	if n > 64<<10 {
		return fmt.Errorf("seccomp filter of %d bytes", n)
	}
	filter := make([]byte, n)
	if err := readFull(fd, filter); err != nil {
		return err
	}
	return seccomp.Install(filter)
}

func readFull(fd int, buf []byte) error {
	for len(buf) > 0 {
		n, err := unix.Read(fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read seccomp filter: %w", err)
		}
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
		buf = buf[n:]
	}
	return nil
}
