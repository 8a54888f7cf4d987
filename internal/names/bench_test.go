package names

import (
	"net"
	"net/netip"
	"testing"
	"time"

	dns "golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// BenchmarkAnswer is what an answer costs without its way over a socket.
func BenchmarkAnswer(b *testing.B) {
	s := New(Config{Sources: []Source{shop()}}, nil)
	msg, out := query(b, "web.example.test", dns.TypeA, extended(1232)), make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		q, err := parse(msg)
		if _, done := s.answer(&q, err, View{}, plainSize, out); !done {
			b.Fatal("not answered")
		}
	}
}

// BenchmarkQueries asks over UDP, and reports questions a second and the
// processor time of both sides for each, half of it or more the client's and the
// kernel's.
func BenchmarkQueries(b *testing.B) {
	s := start(b, Config{Sources: []Source{shop()}}, Machine) // tasks are limited
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.all()[1].at))
	check(b, err)
	defer conn.Close()
	msg, in := query(b, "web.example.test", dns.TypeA, extended(1232)), make([]byte, 512)
	before := cpu(b)
	const ahead = 32 // under way, as several clients would have
	pending := 0
	for b.Loop() {
		if _, err := conn.Write(msg); err != nil {
			b.Fatal(err)
		}
		if pending++; pending < ahead {
			continue
		}
		if _, _, err := conn.ReadFromUDPAddrPort(in); err != nil {
			b.Fatal(err)
		}
		pending--
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "questions/s")
	b.ReportMetric((cpu(b)-before)/float64(b.N)*1e6, "cpu-µs/question")
}

// BenchmarkForward asks for a name that a resolver on this machine has.
func BenchmarkForward(b *testing.B) {
	u := newUpstream(b, func(_ string, q dns.Message) []dns.Message {
		return []dns.Message{reply(q, "www.example.org", "192.0.2.1")}
	})
	s := start(b, Config{Upstream: func() []netip.AddrPort { return []netip.AddrPort{u.at} }}, Machine)
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.all()[1].at))
	check(b, err)
	defer conn.Close()
	msg, in := query(b, "www.example.org", dns.TypeA, extended(1232)), make([]byte, 512)
	for b.Loop() {
		if _, err := conn.Write(msg); err != nil {
			b.Fatal(err)
		}
		if _, _, err := conn.ReadFromUDPAddrPort(in); err != nil {
			b.Fatal(err)
		}
	}
}

// cpu returns the processor time of this process in seconds.
func cpu(b *testing.B) float64 {
	b.Helper()
	var u unix.Rusage
	check(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// BenchmarkFlood is what a question costs that is one too many of its client: the
// kernel's work for the packet, and the look at who sent it.
func BenchmarkFlood(b *testing.B) {
	s := start(b, Config{Sources: []Source{shop()}})
	s.clients.now = func() time.Time { return time.Unix(1, 0) } // one second for all
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.at))
	check(b, err)
	defer conn.Close()
	msg := query(b, "web.example.test", dns.TypeA)
	before := cpu(b)
	for b.Loop() {
		if _, err := conn.Write(msg); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cpu(b)-before)/float64(b.N)*1e6, "cpu-µs/question")
}
