package names

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	dns "golang.org/x/net/dns/dnsmessage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// table is a source with fixed answers, for a zone.
type table struct {
	zone  string
	names map[string][]Record
}

func (s table) Lookup(name string, _ View) (Answer, bool) {
	if Zone(name, []string{s.zone}) == "" {
		return Answer{}, false
	}
	records, there := s.names[name]
	return Answer{Zone: s.zone, Missing: !there, Records: records, NegativeTTL: 5 * time.Second}, true
}

func address(s string) Record { return Record{TTL: 7 * time.Second, Address: netip.MustParseAddr(s)} }

// rig is a server that answers on loopback.
type rig struct {
	*Server
	at netip.AddrPort // for tasks
}

// start starts a server with sockets for tasks, which is rig.at, and others.
func start(t testing.TB, cfg Config, clients ...From) *rig {
	t.Helper()
	if cfg.Upstream == nil {
		cfg.Upstream = func() []netip.AddrPort { return nil }
	}
	r := &rig{Server: New(cfg, slog.New(slog.DiscardHandler))}
	for i, v := range append([]From{Task}, clients...) {
		at, err := r.Listen(t.Context(), netip.MustParseAddrPort("127.0.0.1:0"), v)
		check(t, err)
		if i == 0 {
			r.at = at
		}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() { _ = r.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	return r
}

// query makes a message; more changes it.
func query(t testing.TB, name string, kind dns.Type, more ...func(*dns.Message)) []byte {
	t.Helper()
	m := dns.Message{Header: dns.Header{ID: 4711, RecursionDesired: true}, Questions: []dns.Question{{Name: dns.MustNewName(name + "."), Type: kind, Class: dns.ClassINET}}}
	for _, change := range more {
		change(&m)
	}
	msg, err := m.Pack()
	check(t, err)
	return msg
}

func extended(size int) func(*dns.Message) {
	return func(m *dns.Message) {
		var h dns.ResourceHeader
		_ = h.SetEDNS0(size, dns.RCodeSuccess, false)
		m.Additionals = append(m.Additionals, dns.Resource{Header: h, Body: &dns.OPTResource{}})
	}
}

// wait bounds what should come; what should not come is asked after with
// something that should.
const wait = 10 * time.Second

// send sends a message from an address and returns the answer.
func send(t testing.TB, network, from string, to netip.AddrPort, msg []byte) (dns.Message, error) {
	t.Helper()
	d := net.Dialer{}
	if from != "" {
		d.LocalAddr = &net.UDPAddr{IP: net.ParseIP(from)}
		if network == "tcp" {
			d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
		}
	}
	conn, err := d.DialContext(t.Context(), network, to.String())
	check(t, err)
	defer conn.Close()
	check(t, conn.SetDeadline(time.Now().Add(wait)))
	var m dns.Message
	in := make([]byte, maxMessage)
	if network == "tcp" {
		check(t, writeMessage(conn, msg))
		if in, err = readMessage(conn); err != nil {
			return m, err
		}
		return m, m.Unpack(in)
	}
	if _, err := conn.Write(msg); err != nil {
		return m, err
	}
	n, err := conn.Read(in)
	if err != nil {
		return m, err
	}
	return m, m.Unpack(in[:n])
}

func (r *rig) ask(t testing.TB, name string, kind dns.Type) dns.Message {
	t.Helper()
	m, err := send(t, "udp", "", r.at, query(t, name, kind))
	check(t, err)
	return m
}

// addresses returns the A records of a message.
func addresses(m dns.Message) (out []string) {
	for _, a := range m.Answers {
		if a, ok := a.Body.(*dns.AResource); ok {
			out = append(out, netip.AddrFrom4(a.A).String())
		}
	}
	return out
}

// upstream is a resolver that answers as a test says.
type upstream struct {
	at  netip.AddrPort
	udp *net.UDPConn

	mu    sync.Mutex
	seen  []dns.Message
	ports []uint16 // that the questions over UDP came from
}

// listenBoth listens at a port of loopback that is free for UDP and for TCP.
func listenBoth(t testing.TB) (udp *net.UDPConn, tcp net.Listener) {
	t.Helper()
	for range 20 {
		var err error
		udp, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		check(t, err)
		if tcp, err = net.Listen("tcp4", udp.LocalAddr().String()); err == nil {
			return udp, tcp
		}
		check(t, udp.Close())
	}
	t.Fatal("no port is free for both")
	return nil, nil
}

// newUpstream starts one. answer returns what to send, one packet each; over TCP
// the first of them.
func newUpstream(t testing.TB, answer func(network string, q dns.Message) []dns.Message) *upstream {
	t.Helper()
	u := &upstream{}
	udp, tcp := listenBoth(t)
	u.udp, u.at = udp, netip.MustParseAddrPort(udp.LocalAddr().String())
	var running sync.WaitGroup
	running.Go(func() { u.packets(answer) })
	running.Go(func() { u.streams(tcp, answer) })
	t.Cleanup(func() { _ = udp.Close(); _ = tcp.Close(); running.Wait() })
	return u
}

func (u *upstream) packets(answer func(string, dns.Message) []dns.Message) {
	in := make([]byte, maxMessage)
	for {
		n, from, err := u.udp.ReadFromUDPAddrPort(in)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		q, ok := u.note(in[:n], from.Port())
		if err != nil || !ok {
			continue
		}
		for _, m := range answer("udp", q) {
			if out, err := m.Pack(); err == nil {
				_, _ = u.udp.WriteToUDPAddrPort(out, from)
			}
		}
	}
}

func (u *upstream) streams(l net.Listener, answer func(string, dns.Message) []dns.Message) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		if msg, err := readMessage(conn); err == nil {
			if q, ok := u.note(msg, 0); ok {
				for _, m := range answer("tcp", q)[:1] {
					out, _ := m.Pack()
					_ = writeMessage(conn, out)
				}
			}
		}
		_ = conn.Close()
	}
}

func (u *upstream) note(msg []byte, port uint16) (q dns.Message, ok bool) {
	ok = q.Unpack(msg) == nil
	u.mu.Lock()
	defer u.mu.Unlock()
	if ok {
		u.seen, u.ports = append(u.seen, q), append(u.ports, port)
	}
	return q, ok
}

func (u *upstream) questions() []dns.Message {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.seen)
}

func (u *upstream) list() []netip.AddrPort { return []netip.AddrPort{u.at} }

// reply answers a question with addresses.
func reply(q dns.Message, name string, addresses ...string) dns.Message {
	m := dns.Message{Header: dns.Header{ID: q.ID, Response: true, RecursionAvailable: true}, Questions: q.Questions}
	for _, a := range addresses {
		m.Answers = append(m.Answers, dns.Resource{
			Header: dns.ResourceHeader{Name: dns.MustNewName(name + "."), Type: dns.TypeA, Class: dns.ClassINET, TTL: 9},
			Body:   &dns.AResource{A: netip.MustParseAddr(a).As4()},
		})
	}
	return m
}
