package names

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	dns "golang.org/x/net/dns/dnsmessage"
)

// socket is an address with its two listeners.
type socket struct {
	at   netip.AddrPort
	view View
	udp  *net.UDPConn
	tcp  net.Listener
}

// Listen takes an address for questions of one kind of clients, over UDP and over TCP, and
// returns it; port 0 takes one that is free for both. Call it before Run.
func (s *Server) Listen(ctx context.Context, at netip.AddrPort, from From) (netip.AddrPort, error) {
	const tries = 20
	var err error
	for range tries {
		var k *socket
		if k, err = s.listen(ctx, at, from); err == nil {
			s.mu.Lock()
			s.sockets = append(s.sockets, k)
			s.mu.Unlock()
			return k.at, nil
		}
		if at.Port() != 0 || !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return at, fmt.Errorf("listen for names: %w", err)
}

func (s *Server) listen(ctx context.Context, at netip.AddrPort, from From) (*socket, error) {
	udp, err := s.cfg.Sockets.ListenUDP(ctx, at.String())
	if err != nil {
		return nil, err
	}
	tcp, err := s.cfg.Sockets.ListenTCP(ctx, udp.LocalAddr().String())
	if err != nil {
		return nil, errors.Join(err, udp.Close())
	}
	// A burst of questions waits here while one is answered; a kernel that
	// allows less takes what it allows.
	_ = udp.SetReadBuffer(1 << 20)
	at = netip.MustParseAddrPort(udp.LocalAddr().String())
	return &socket{at: at, view: View{From: from, At: at.Addr()}, udp: udp, tcp: tcp}, nil
}

// maxMessage is the most that a message can have (RFC 1035, 4.2.2).
const maxMessage = 1<<16 - 1

// serveUDP answers what it knows at once, in the order of coming: that takes
// some microseconds. What must be asked elsewhere is answered when it is known.
func (s *Server) serveUDP(ctx context.Context, k *socket) {
	in, out := make([]byte, maxMessage), make([]byte, 0, maxMessage)
	for {
		n, from, err := k.udp.ReadFromUDPAddrPort(in)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			pause(ctx) // the network is down
			continue
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if !s.clients.admit(from.Addr(), k.view.From) {
			continue
		}
		q, err := parse(in[:n])
		if errors.Is(err, errNoQuestion) {
			continue
		}
		answer, done := s.answer(&q, err, k.view.of(from.Addr()), min(q.size, ednsSize), out)
		if done {
			_, _ = k.udp.WriteToUDPAddrPort(answer, from) // who is gone needs none
			continue
		}
		s.ask(ctx, k, q, in[:n], from)
	}
}

// answer answers what can be answered here; done is false for what must be asked
// elsewhere.
func (s *Server) answer(q *question, malformed error, view View, limit int, buf []byte) (out []byte, done bool) {
	if malformed != nil {
		return q.fail(buf, dns.RCodeFormatError), true
	}
	if code := q.refused(); code != dns.RCodeSuccess {
		return q.fail(buf, code), true
	}
	alone := view.From == World || view.From == Task && s.cfg.Alone
	if a, known := s.lookup(q.name, view); known {
		a, elsewhere := s.follow(q.name, a, view)
		if alone || !q.leadsTo(elsewhere, a) {
			return q.reply(buf, a, limit), true
		}
	} else if alone {
		return q.fail(buf, dns.RCodeRefused), true
	}
	return nil, false
}

// ask asks elsewhere for a client of a UDP socket, without waiting.
func (s *Server) ask(ctx context.Context, k *socket, q question, msg []byte, from netip.AddrPort) {
	done, ok := s.clients.forward(from.Addr(), k.view.From)
	if !ok {
		_, _ = k.udp.WriteToUDPAddrPort(q.fail(nil, dns.RCodeServerFailure), from)
		return
	}
	a := asked{q.message(msg), "udp", q.size, k.view}
	s.running.Go(func() {
		defer done()
		_, _ = k.udp.WriteToUDPAddrPort(s.forwarded(ctx, q, a), from)
	})
}

// pause keeps what fails at once from being tried again at once.
func pause(ctx context.Context) {
	timer := time.NewTimer(10 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// forwarded returns the answer of elsewhere.
func (s *Server) forwarded(ctx context.Context, q question, a asked) []byte {
	answer, err := s.forward.ask(ctx, a)
	if err != nil {
		return q.fail(nil, dns.RCodeServerFailure)
	}
	if q.alias != "" {
		return q.complete(answer, a)
	}
	answer = bytes.Clone(answer) // others may get the same
	answer[0], answer[1] = a.msg[0], a.msg[1]
	return answer
}
