package names

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	dns "golang.org/x/net/dns/dnsmessage"
)

// idle is how long a TCP connection may say nothing, or take nothing.
const idle = 10 * time.Second

func (s *Server) serveTCP(ctx context.Context, k *socket) {
	for {
		conn, err := k.tcp.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			pause(ctx) // no file is free: some will be
			continue
		}
		from := netip.MustParseAddrPort(conn.RemoteAddr().String()).Addr().Unmap()
		done, ok := s.clients.stream(from, k.view.From)
		if !ok {
			_ = conn.Close()
			continue
		}
		s.running.Go(func() {
			defer done()
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			s.serveStream(ctx, conn, from, k.view)
		})
	}
}

// serveStream answers the questions of a connection one by one, until it ends.
func (s *Server) serveStream(ctx context.Context, conn net.Conn, from netip.Addr, view View) {
	for {
		if conn.SetDeadline(time.Now().Add(idle)) != nil {
			return
		}
		msg, err := readMessage(conn)
		if err != nil || !s.clients.admit(from, view.From) {
			return
		}
		q, err := parse(msg)
		if errors.Is(err, errNoQuestion) {
			return
		}
		answer, done := s.answer(&q, err, view.of(from), maxMessage, nil)
		if !done {
			answer = s.askStream(ctx, q, asker{from, view}, msg)
		}
		if writeMessage(conn, answer) != nil {
			return
		}
	}
}

// asker is who asks, and through which sockets.
type asker struct {
	address netip.Addr
	view    View
}

func (s *Server) askStream(ctx context.Context, q question, who asker, msg []byte) []byte {
	done, ok := s.clients.forward(who.address, who.view.From)
	if !ok {
		return q.fail(nil, dns.RCodeServerFailure)
	}
	defer done()
	return s.forwarded(ctx, q, asked{q.message(msg), "tcp", q.size, who.view})
}

// readMessage reads a message with its length before it (RFC 1035, 4.2.2).
func readMessage(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	msg := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(r, msg)
	return msg, err
}

func writeMessage(w io.Writer, msg []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(msg)), uint16(len(msg))), msg...))
	return err
}
