package supervisor

import (
	"errors"
	"os"

	"github.com/opencontainers/runc/libcontainer"
	"golang.org/x/sys/unix"
)

// wait waits for the end of a process and returns how it went.
func wait(p *libcontainer.Process) (*os.ProcessState, error) {
	if pid, err := p.Pid(); err == nil {
		_ = ended(pid) // where that does not work, Wait takes a thread
	}
	return p.Wait()
}

// ended waits until a child process has ended and leaves it to be waited for.
// It takes no thread meanwhile, as Wait does: Go keeps every thread that it has
// once started, and a supervisor that has run twenty commands at once would be
// larger for ever by what their threads take. A kernel older than 5.10 cannot
// wait like that; then ended returns at once, with an error.
func ended(pid int) error {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return os.NewSyscallError("pidfd_open", err)
	}
	file := os.NewFile(uintptr(fd), "pidfd")
	defer func() { _ = file.Close() }()
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Read(func(fd uintptr) (done bool) {
		failed = unix.Waitid(unix.P_PIDFD, int(fd), nil, unix.WEXITED|unix.WNOWAIT, nil)
		return !errors.Is(failed, unix.EAGAIN) && !errors.Is(failed, unix.EINTR)
	})
	return errors.Join(err, failed)
}
