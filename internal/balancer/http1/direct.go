package http1

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// Sockets are read and written by system calls that the scheduler is not told of:
// they cannot block, and are over before it could do anything with the processor.
// Telling it costs more than the calls do, since a process that is idle half of
// the time wakes its monitor again and again.

// transfer is a read or a write of a socket.
type transfer struct {
	p    []byte
	n    int
	err  error
	move func(fd uintptr) bool // made once
	once func(fd uintptr)      // is move without a wait, and sets all
	all  bool
}

// readOnce reads what is there, or waits for it. What is to be sent first is sent
// between the look at the socket's state and the wait, so that the answer to it
// ends the wait, and no read is in vain.
func (l *link) readOnce(p []byte) (int, error) {
	if !l.plain {
		return l.Read(p)
	}
	t := &l.in
	if t.move == nil {
		t.move = l.receive
	}
	t.p, t.n, t.err = p, 0, nil
	err := l.raw.Read(t.move)
	t.p = nil
	switch {
	case err != nil:
		return 0, err
	case t.err != nil:
		return 0, os.NewSyscallError("recvfrom", t.err)
	case t.n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return t.n, nil
}

// receive reports false if nothing is there.
func (l *link) receive(fd uintptr) bool {
	t := &l.in
	if l.first != nil {
		return l.begin(fd)
	}
	for {
		t.n, t.err = receive(fd, t.p, syscall.MSG_DONTWAIT)
		if !errors.Is(t.err, syscall.EINTR) {
			break
		}
	}
	return !errors.Is(t.err, syscall.EAGAIN)
}

// begin sends what is to be sent before the wait. It reports true, and leaves the
// rest, if the socket does not take it all.
func (l *link) begin(fd uintptr) bool {
	n, err := send(fd, l.first)
	l.sent += int64(n)
	l.first = l.first[n:]
	if len(l.first) == 0 {
		l.first = nil
		return false
	}
	l.in.err = err
	if err == nil {
		l.in.err = syscall.EAGAIN
	}
	return true
}

// sendFirst has p sent by the next read, within a limit as of writeAll. It must stay
// unchanged until that has returned. Nothing may have come on the socket that was
// not read: the wait is for what comes afterwards.
func (l *link) sendFirst(p []byte, within time.Duration) { l.first, l.within = p, within }

// writeNow writes what the socket takes at once, and reports false if that is not
// all.
func (l *link) writeNow(p []byte) (n int, all bool, err error) {
	t := &l.out
	if t.move == nil {
		t.move = t.send
		t.once = func(fd uintptr) { t.all = t.send(fd) }
	}
	t.p, t.n, t.err = p, 0, nil
	if err := l.raw.Control(t.once); err != nil {
		return 0, true, err
	}
	t.p = nil
	if t.err != nil {
		return t.n, true, os.NewSyscallError("sendto", t.err)
	}
	return t.n, t.all, nil
}

// writeOnce writes all of p, unless the deadline passes first.
func (l *link) writeOnce(p []byte) (int, error) {
	if !l.plain {
		return l.Write(p)
	}
	t := &l.out
	t.p, t.n, t.err = p, 0, nil
	err := l.raw.Write(t.move)
	t.p = nil
	if err == nil && t.err != nil {
		err = os.NewSyscallError("sendto", t.err)
	}
	return t.n, err
}

// send reports false if the socket takes no more now.
func (t *transfer) send(fd uintptr) bool {
	for t.n < len(t.p) {
		n, err := send(fd, t.p[t.n:])
		t.n += n
		switch {
		case err == nil, errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return false
		default:
			t.err = err
			return true
		}
	}
	return true
}

func receive(fd uintptr, p []byte, flags uintptr) (int, error) {
	n, _, code := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
	if code != 0 {
		return 0, code
	}
	return int(n), nil
}

func send(fd uintptr, p []byte) (int, error) {
	n, _, code := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
	if code != 0 {
		return 0, code
	}
	return int(n), nil
}
