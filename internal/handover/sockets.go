package handover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Sockets are those on which a process listens. Of each it keeps a second
// descriptor, which a successor gets. A nil Sockets opens sockets and keeps none.
type Sockets struct {
	mu        sync.Mutex
	inherited map[string]descriptor // of a predecessor, not taken yet, by key; guarded by mu
	activated []descriptor          // of an init system, not taken now; guarded by mu
	kept      map[string]*kept      // by key; guarded by mu
	held      bool                  // sockets outlive who listens on them; guarded by mu
}

// descriptor is that of a socket which this process only keeps. It is not an os.File,
// which would be woken for each connection.
type descriptor int

func (d descriptor) close() { _ = unix.Close(int(d)) } // nothing was written

// opened calls f with a file of the descriptor's socket.
func opened[T any](d descriptor, f func(*os.File) (T, error)) (made T, err error) {
	second, err := unix.FcntlInt(uintptr(d), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return made, fmt.Errorf("take a socket over: %w", err)
	}
	file := os.NewFile(uintptr(second), "handed over")
	defer func() { _ = file.Close() }() // nothing was written
	return f(file)
}

// kept is a socket in use.
type kept struct {
	fd        descriptor
	activated bool
}

// NewSockets returns the sockets of a process that has got some from an init
// system.
func NewSockets(activated ...int) *Sockets {
	s := &Sockets{inherited: map[string]descriptor{}, kept: map[string]*kept{}}
	for _, fd := range activated {
		s.activated = append(s.activated, descriptor(fd))
	}
	return s
}

// key names a socket by what it was asked for as, so that a successor finds it that
// asks for the same; who tells those apart that ask for any free port.
func key(who, network, address string) string { return who + " " + network + " " + address }

// Listen is net.ListenConfig.Listen, but takes a socket that was handed over where
// there is one.
func (s *Sockets) Listen(ctx context.Context, how net.ListenConfig, who, network, address string) (net.Listener, error) {
	if s == nil {
		return how.Listen(ctx, network, address)
	}
	name := key(who, network, address)
	fd, activated := s.take(name, unix.SOCK_STREAM, address)
	var l net.Listener
	var err error
	if fd >= 0 {
		l, err = opened(fd, net.FileListener)
	} else if l, err = how.Listen(ctx, network, address); err == nil {
		fd, err = duplicate(l.(syscall.Conn))
	}
	if err != nil {
		return nil, undo(fd, l, err)
	}
	s.keep(name, fd, activated)
	return &listener{Listener: l, of: s, key: name}, nil
}

// ListenPacket is net.ListenConfig.ListenPacket in the same way, for UDP. The
// second descriptor is kept until Close.
func (s *Sockets) ListenPacket(ctx context.Context, who, address string) (*net.UDPConn, error) {
	var how net.ListenConfig
	if s == nil {
		conn, err := how.ListenPacket(ctx, "udp", address)
		udp, _ := conn.(*net.UDPConn) // it is one
		return udp, err
	}
	name := key(who, "udp", address)
	fd, activated := s.take(name, unix.SOCK_DGRAM, address)
	var conn net.PacketConn
	var err error
	if fd >= 0 {
		conn, err = opened(fd, net.FilePacketConn)
	} else if conn, err = how.ListenPacket(ctx, "udp", address); err == nil {
		fd, err = duplicate(conn.(syscall.Conn))
	}
	udp, is := conn.(*net.UDPConn)
	if err == nil && !is {
		err = fmt.Errorf("the socket for %s that was handed over is not of UDP", address)
	}
	if err != nil {
		return nil, undo(fd, conn, err)
	}
	s.keep(name, fd, activated)
	return udp, nil
}

// undo closes what was opened before an error.
func undo(fd descriptor, made io.Closer, err error) error {
	if fd >= 0 {
		fd.close()
	}
	if made != nil {
		_ = made.Close() // nothing was written
	}
	return err
}

// none is no descriptor.
const none descriptor = -1

// take takes a socket that was handed over; none where there is none.
func (s *Sockets) take(key string, kind int, address string) (fd descriptor, activated bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if fd, ok := s.inherited[key]; ok {
		delete(s.inherited, key)
		return fd, false
	}
	i := slices.IndexFunc(s.activated, func(d descriptor) bool { return d.is(kind, address) })
	if i < 0 {
		return none, false
	}
	fd = s.activated[i]
	s.activated = slices.Delete(s.activated, i, i+1)
	return fd, true
}

func (s *Sockets) keep(key string, fd descriptor, activated bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before := s.kept[key]; before != nil {
		before.fd.close() // of one that was closed
	}
	s.kept[key] = &kept{fd, activated}
}

// closed is for a socket on which nobody listens any more.
func (s *Sockets) closed(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.kept[key]
	switch {
	case k == nil || s.held:
		return
	case k.activated: // the init system's, who may want it again
		s.activated = append(s.activated, k.fd)
	default:
		k.fd.close()
	}
	delete(s.kept, key)
}

// Hold has sockets outlive who listens on them from now on, for a successor.
func (s *Sockets) Hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = true
}

// has reports whether a socket was handed over, or will be, for one that is asked
// for so.
func (s *Sockets) has(keys []string, who, network, address string) bool {
	if slices.Contains(keys, key(who, network, address)) {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.activated, func(d descriptor) bool { return d.is(unix.SOCK_STREAM, address) })
}

// activatedKey is that of a socket of an init system that is not in use.
const activatedKey = "activated"

// all returns all sockets with their keys.
func (s *Sockets) all() (keys []string, fds []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(s.kept)) {
		keys, fds = append(keys, k), append(fds, int(s.kept[k].fd))
	}
	for _, fd := range s.activated {
		keys, fds = append(keys, activatedKey), append(fds, int(fd))
	}
	return keys, fds
}

// inherit takes sockets over.
func (s *Sockets) inherit(keys []string, fds []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, k := range keys {
		if k == activatedKey {
			s.activated = append(s.activated, descriptor(fds[i]))
		} else {
			s.inherited[k] = descriptor(fds[i])
		}
	}
}

// CloseRest closes those sockets of a predecessor that nobody has asked for.
func (s *Sockets) CloseRest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fd := range s.inherited {
		fd.close()
	}
	clear(s.inherited)
}

// Close closes the second descriptors; who listens goes on doing so.
func (s *Sockets) Close() {
	s.CloseRest()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.kept {
		k.fd.close()
	}
	clear(s.kept)
	for _, fd := range s.activated {
		fd.close()
	}
	s.activated = nil
}

// listener is a socket that is kept.
type listener struct {
	net.Listener
	of  *Sockets
	key string
}

// Close closes the socket, for good if no successor is to have it.
func (l *listener) Close() error {
	err := l.Listener.Close()
	if !errors.Is(err, net.ErrClosed) {
		l.of.closed(l.key)
	}
	return err
}

// duplicate returns a second descriptor of a socket.
func duplicate(conn syscall.Conn) (fd descriptor, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return none, err
	}
	second := -1
	if failed := raw.Control(func(fd uintptr) { second, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }); cmp.Or(failed, err) != nil {
		return none, fmt.Errorf("keep a socket: %w", cmp.Or(failed, err))
	}
	return descriptor(second), nil
}

// is reports whether a socket is of a kind (SOCK_STREAM, SOCK_DGRAM) and bound to an
// address. All addresses of either kind are the same: a socket for them of IPv6 is for
// both.
func (d descriptor) is(kind int, address string) bool {
	want, err := netip.ParseAddrPort(address)
	if err != nil || want.Port() == 0 {
		return false
	}
	fd := int(d)
	if got, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil || got != kind {
		return false
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		return false
	}
	var a netip.Addr
	port := 0
	switch b := bound.(type) {
	case *unix.SockaddrInet4:
		a, port = netip.AddrFrom4(b.Addr), b.Port
	case *unix.SockaddrInet6:
		a, port = netip.AddrFrom16(b.Addr).Unmap(), b.Port
	}
	return port == int(want.Port()) && (a == want.Addr().Unmap() || a.IsValid() && a.IsUnspecified() && want.Addr().IsUnspecified())
}
