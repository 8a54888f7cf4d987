package handover

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// firstActivated is the first descriptor that an init system passes
// (sd_listen_fds(3)).
const firstActivated = 3

// Activated returns the descriptors of the sockets that an init system has passed
// to this process, by the variables LISTEN_PID and LISTEN_FDS; none where they are
// for another.
func Activated(listenPID, listenFDs string, pid int) (fds []int) {
	count, err := strconv.Atoi(listenFDs)
	if to, wrong := strconv.Atoi(listenPID); wrong != nil || err != nil || to != pid {
		return nil
	}
	for fd := firstActivated; fd < firstActivated+count; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			break // there is none
		}
		unix.CloseOnExec(fd)
		fds = append(fds, fd)
	}
	return fds
}
