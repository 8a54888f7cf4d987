package front

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Lot is where connections wait whose clients are silent: without a goroutine, a
// stack or a buffer. It watches their sockets for what comes, and for how long
// nothing does. It is safe for concurrent use.
type Lot struct {
	poll *os.File // of epoll
	fd   int      // of poll, which File.Fd would change

	mu    sync.Mutex
	slots []slot   // guarded by mu
	free  []uint32 // indexes of slots; guarded by mu
}

// slot is a connection that waits; conn nil: none does.
type slot struct {
	conn  *conn
	until int64  // Unix time in ns
	turn  uint32 // of how many that waited here, so that news of an earlier one are known
}

// OpenLot opens a lot. Run must follow.
func OpenLot() (*Lot, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err == nil {
		err = unix.SetNonblock(fd, true) // so that the file is waited for as sockets are
	}
	if err != nil {
		return nil, fmt.Errorf("open epoll: %w", err)
	}
	return &Lot{poll: os.NewFile(uintptr(fd), "epoll"), fd: fd}, nil
}

// scanEvery is how often the lot looks who has been silent for too long.
const scanEvery = time.Second

// Run watches those that wait until ctx ends, and returns its cause. Those that
// wait then go on waiting, until they are drained or cut.
func (l *Lot) Run(ctx context.Context) error {
	var all sync.WaitGroup
	all.Go(func() { l.watch(ctx) })
	tick := time.NewTicker(scanEvery)
	defer tick.Stop()
	tidied := 0 // how many waited when memory was last given back
	for {
		select {
		case <-ctx.Done():
			_ = l.poll.SetReadDeadline(time.Unix(1, 0))
			all.Wait()
			return context.Cause(ctx)
		case now := <-tick.C:
			for _, c := range l.overdue(now) {
				c.wake()
			}
			tidied = l.tidy(tidied)
		}
	}
}

// A crowd that falls silent leaves behind what it needed while it was not: stacks,
// buffers, what was made of handshakes. The system has that back when so many wait more
// than when it was last done, and a quarter more.
const tidyFrom = 1000

// tidy gives memory back if many more wait than waited the last time, and returns
// how many wait.
func (l *Lot) tidy(last int) int {
	l.mu.Lock()
	waiting := len(l.slots) - len(l.free)
	l.mu.Unlock()
	switch {
	case waiting < last:
		return waiting
	case waiting < last+max(tidyFrom, last/4):
		return last
	}
	debug.FreeOSMemory()
	return waiting
}

// Close closes the lot, after Run.
func (l *Lot) Close() error { return l.poll.Close() }

// watch wakes connections of which something has come.
func (l *Lot) watch(ctx context.Context) {
	raw, err := l.poll.SyscallConn()
	if err != nil {
		return
	}
	events := make([]unix.EpollEvent, 256)
	for ctx.Err() == nil {
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			for {
				var err error
				n, err = unix.EpollWait(int(fd), events, 0)
				if !errors.Is(err, unix.EINTR) {
					return n > 0
				}
			}
		})
		if err != nil {
			return
		}
		for _, e := range events[:n] {
			if c := l.take(uint32(e.Fd), uint32(e.Pad)); c != nil {
				c.wake()
			}
		}
	}
}

// enter has a connection wait until something comes or until has passed. It
// reports false where its socket cannot be watched.
func (l *Lot) enter(c *conn, until time.Time) bool {
	l.mu.Lock()
	if len(l.free) == 0 {
		l.slots = append(l.slots, slot{})
		l.free = append(l.free, uint32(len(l.slots)-1))
	}
	i := l.free[len(l.free)-1]
	l.free = l.free[:len(l.free)-1]
	s := &l.slots[i]
	s.conn, s.until = c, until.UnixNano()
	turn := s.turn
	c.slot, c.turn = i, turn
	l.mu.Unlock()
	if l.arm(c, i, turn) {
		return true
	}
	return l.take(i, turn) == nil // somebody else has woken it: it waits no more, but is theirs
}

// arm has epoll report once what comes to a connection's socket, or what has come
// already.
func (l *Lot) arm(c *conn, i, turn uint32) bool {
	socket, ok := c.socket.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT, Fd: int32(i), Pad: int32(turn)}
	op := unix.EPOLL_CTL_ADD
	if c.watched {
		op = unix.EPOLL_CTL_MOD
	}
	err = raw.Control(func(fd uintptr) { c.watched = unix.EpollCtl(l.fd, op, int(fd), &e) == nil })
	return c.watched && err == nil
}

// take takes a connection out, and returns nil if it does not wait there any more.
func (l *Lot) take(i, turn uint32) *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if int(i) >= len(l.slots) {
		return nil
	}
	s := &l.slots[i]
	if s.conn == nil || s.turn != turn {
		return nil
	}
	return l.takeLocked(i)
}

func (l *Lot) takeLocked(i uint32) *conn {
	s := &l.slots[i]
	c := s.conn
	s.conn, s.turn = nil, s.turn+1
	l.free = append(l.free, i)
	return c
}

// overdue takes out those who have waited for too long.
func (l *Lot) overdue(now time.Time) (all []*conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := now.UnixNano()
	for i := range l.slots {
		if l.slots[i].conn != nil && l.slots[i].until <= at {
			all = append(all, l.takeLocked(uint32(i)))
		}
	}
	return all
}
