package network

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"neargate/internal/decide/firewall"
	"neargate/internal/runtime"
)

// TestOpenPorts: tasks reach the server's ports and nothing else of the machine,
// whatever their groups and reach; the server sees who asks.
func TestOpenPorts(t *testing.T) {
	for _, reach := range []firewall.Reach{firewall.ReachNone, firewall.ReachAll} {
		t.Run(string(reach), func(t *testing.T) {
			n := open(t, Config{ID: "aa0101", Reach: reach})
			service, other := nameCaller(t, n), nameCaller(t, n)
			metadata := netip.MustParseAddrPort("169.254.170.2:80")
			known := netip.AddrPortFrom(n.Gateway(), 80)
			wild, err := net.Listen("tcp4", ":80") // of another program: it may have the port
			check(t, err)
			greet(t, wild)
			check(t, n.OpenPorts([]runtime.Port{{Address: metadata, Listener: service}, {Address: known, Listener: service}}))
			check(t, n.SetPolicy(groups()))
			a, b := newTask(t, n), newTask(t, n)
			check(t, n.SetPolicy(firewall.Policy{Default: "sg-closed"}))
			for _, caller := range []task{a, b} {
				for _, at := range []netip.AddrPort{metadata, known} {
					want(t, "who the service sees at "+at.String(), caller.ask(at), caller.addr.String())
				}
			}
			want(t, "another port of the gateway", a.reach(n.Gateway(), int(other)), "dropped")

			check(t, n.OpenPorts([]runtime.Port{{Address: metadata, Listener: other}}))
			want(t, "a port that was led elsewhere", a.ask(metadata), a.addr.String())
			want(t, "one that was closed", a.reach(known.Addr(), 80), "dropped")
		})
	}
}

func TestOpenPortsOfUDP(t *testing.T) {
	n := open(t, Config{ID: "aa0102", Reach: firewall.ReachNone})
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(n.Gateway(), 0)))
	check(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 100)
		for {
			_, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUDPAddrPort([]byte(from.Addr().String()), from)
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	names := netip.AddrPortFrom(n.Gateway(), 53)
	check(t, n.SetPolicy(groups()))
	a := newTask(t, n)
	check(t, n.OpenPorts([]runtime.Port{{UDP: true, Address: names, Listener: conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()}}))
	var answer string
	check(t, a.do(func() error {
		c, err := net.Dial("udp4", names.String())
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		if _, err := c.Write([]byte("?")); err != nil {
			return err
		}
		b := make([]byte, 100)
		size, err := c.Read(b)
		answer = string(b[:size])
		return err
	}))
	want(t, "who the service sees", answer, a.addr.String())
	want(t, "the port over TCP", a.reach(n.Gateway(), 53), "dropped")
}

// TestTwoInstancesHaveTheirOwnPorts: the same address leads to the server that
// runs the task.
func TestTwoInstancesHaveTheirOwnPorts(t *testing.T) {
	metadata := netip.MustParseAddrPort("169.254.170.2:80")
	networks := []*Network{open(t, Config{ID: "aa0103"}), open(t, Config{ID: "aa0104"})}
	var tasks []task
	for _, n := range networks {
		check(t, n.SetPolicy(groups()))
		check(t, n.OpenPorts([]runtime.Port{{Address: metadata, Listener: nameBoth(t, n)}}))
		tasks = append(tasks, newTask(t, n))
	}
	for i, n := range networks {
		want(t, "who answers whom", tasks[i].ask(metadata), fmt.Sprint(n.Gateway(), " answers ", tasks[i].addr))
	}
}

// nameCaller listens on a port of the gateway, and answers each caller with its
// address.
func nameCaller(t *testing.T, n *Network) uint16 {
	t.Helper()
	return answer(t, n, func(c net.Conn) string { return c.RemoteAddr().(*net.TCPAddr).IP.String() })
}

func nameBoth(t *testing.T, n *Network) uint16 {
	t.Helper()
	return answer(t, n, func(c net.Conn) string {
		return fmt.Sprint(c.LocalAddr().(*net.TCPAddr).IP, " answers ", c.RemoteAddr().(*net.TCPAddr).IP)
	})
}

func answer(t *testing.T, n *Network, with func(net.Conn) string) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", netip.AddrPortFrom(n.Gateway(), 0).String())
	check(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = fmt.Fprintln(c, with(c))
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

// ask returns the line with which a service answers the task.
func (ns *namespace) ask(at netip.AddrPort) string {
	var line string
	err := ns.do(func() error {
		d := net.Dialer{Timeout: 10 * time.Second}
		c, err := d.Dial("tcp4", at.String())
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		s := bufio.NewScanner(c)
		s.Scan()
		line = s.Text()
		return s.Err()
	})
	if err != nil {
		return err.Error()
	}
	return line
}

// TestHandOver: while no server runs, the machine's resolver answers what tasks
// ask the gateway, if their reach lets them ask it at all.
func TestHandOver(t *testing.T) {
	for _, row := range []struct {
		reach firewall.Reach
		want  string
	}{{firewall.ReachInternet, "hello"}, {firewall.ReachNone, "dropped"}} {
		t.Run(string(row.reach), func(t *testing.T) {
			resolver := prefix("192.168.77.66/24")
			n := open(t, Config{ID: "aa0104", Reach: row.reach, Resolvers: []netip.Addr{resolver.Addr()}})
			lan := newLAN(t, "lan1", "192.168.77.1/24", resolver.String())
			lan.listen(t, 53)
			check(t, lan.do(func() error { return answerUDP(t, ":53", "hello") }))
			service := nameCaller(t, n)
			known := netip.AddrPortFrom(n.Gateway(), 53)
			second := netip.MustParseAddrPort("169.254.169.253:53")
			check(t, n.OpenPorts([]runtime.Port{
				{Address: known, Listener: service},
				{Address: known, Listener: service, UDP: true},
				{Address: second, Listener: service, UDP: true},
				{Address: netip.MustParseAddrPort("169.254.170.2:80"), Listener: service},
			}))
			check(t, n.SetPolicy(groups()))
			caller := newTask(t, n)
			want(t, "while the server runs", caller.ask(known), caller.addr.String())

			check(t, n.HandOver())
			var got string
			check(t, caller.do(func() error { got = askUDP(known); return nil }))
			want(t, "over UDP", got, row.want)
			check(t, caller.do(func() error { got = askUDP(second); return nil }))
			want(t, "at the other address", got, row.want)
			reached := map[string]string{"hello": "reached", "dropped": "dropped"}[row.want]
			want(t, "over TCP", caller.reach(n.Gateway(), 53), reached)

			check(t, n.OpenPorts([]runtime.Port{{Address: known, Listener: service}}))
			want(t, "when the server runs again", caller.ask(known), caller.addr.String())
		})
	}
}

// TestKeptSocketIsLedAnew: a program that keeps the socket by which it asks reaches
// whoever answers now: the next server at another port, also a new process, and the
// machine's resolver between them.
func TestKeptSocketIsLedAnew(t *testing.T) {
	resolver := prefix("192.168.77.66/24")
	cfg := Config{ID: "aa0105", Reach: firewall.ReachInternet, Resolvers: []netip.Addr{resolver.Addr()}}
	n := open(t, cfg)
	lan := newLAN(t, "lan1", "192.168.77.1/24", resolver.String())
	check(t, lan.do(func() error { return answerUDP(t, ":53", "resolver") }))
	known := netip.AddrPortFrom(n.Gateway(), 53)
	serve := func(name string) []runtime.Port {
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(n.Gateway(), 0)))
		check(t, err)
		answerBy(t, conn, name)
		return []runtime.Port{{UDP: true, Address: known, Listener: conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()}}
	}
	check(t, n.OpenPorts(serve("first")))
	check(t, n.SetPolicy(groups()))
	caller := newTask(t, n)
	var kept net.Conn
	check(t, caller.do(func() (err error) { kept, err = net.Dial("udp4", known.String()); return err }))
	t.Cleanup(func() { _ = kept.Close() })
	asks := func(when, wanted string) {
		t.Helper()
		want(t, when, exchange(kept), wanted)
	}
	asks("at first", "first")
	check(t, n.OpenPorts(serve("second")))
	asks("at another port", "second")
	check(t, n.HandOver())
	asks("without a server", "resolver")
	check(t, n.OpenPorts(serve("third")))
	asks("with a server again", "third")

	cfg.State, cfg.Occupied = n.State(), true
	next, err := Open(cfg)
	check(t, err)
	check(t, next.Admit(Admitted{Address: caller.addr}))
	check(t, next.OpenPorts(serve("fourth")))
	check(t, next.SetPolicy(groups()))
	asks("after the server was killed", "fourth")
}

// TestNobodyToldThatNobodyListens: while a server that was killed is away, what asks
// for names waits, instead of giving up.
func TestNobodyToldThatNobodyListens(t *testing.T) {
	n := open(t, Config{ID: "aa0106"})
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(n.Gateway(), 0)))
	check(t, err)
	known := netip.AddrPortFrom(n.Gateway(), 53)
	check(t, n.OpenPorts([]runtime.Port{{UDP: true, Address: known, Listener: conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()}}))
	check(t, n.SetPolicy(groups()))
	caller := newTask(t, n)
	check(t, conn.Close())
	var got string
	check(t, caller.do(func() error { got = askUDP(known); return nil }))
	want(t, "a question that nobody takes", got, "dropped")
}

// answerUDP listens on an address, and answers each datagram with a name.
func answerUDP(t *testing.T, address, name string) error {
	t.Helper()
	conn, err := net.ListenPacket("udp4", address)
	if err == nil {
		answerBy(t, conn, name)
	}
	return err
}

func answerBy(t *testing.T, conn net.PacketConn, name string) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 100)
		for {
			_, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo([]byte(name), from)
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
}

// exchange sends a datagram by a socket and returns the answer.
func exchange(conn net.Conn) string {
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write([]byte("?")); err != nil {
		return word(err)
	}
	b := make([]byte, 100)
	n, err := conn.Read(b)
	if err != nil {
		return word(err)
	}
	return string(b[:n])
}

// askUDP sends a datagram and returns the answer.
func askUDP(to netip.AddrPort) string {
	conn, err := net.Dial("udp4", to.String())
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	return exchange(conn)
}
