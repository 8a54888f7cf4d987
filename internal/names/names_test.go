package names

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dns "golang.org/x/net/dns/dnsmessage"
)

func shop() table {
	return table{"example.test", map[string][]Record{
		"example.test":               {address("10.0.0.1")},
		"web.example.test":           {address("10.0.0.2"), address("10.0.0.3"), address("fd00::2")},
		"_http._tcp.example.test":    {{TTL: 7 * time.Second, Target: "a.example.test", Port: 8080, Priority: 1, Weight: 2}},
		"1.0.0.10.example.test":      {{Pointer: "web.example.test"}},
		"alias.example.test":         {{Alias: "web.example.test"}},
		"away.example.test":          {{Alias: "www.example.org"}},
		"circle.example.test":        {{Alias: "circle.example.test"}},
		"long.example.test":          slices.Repeat([]Record{address("10.0.0.9")}, 60),
		"empty.nothing.example.test": nil,
	}}
}

func TestAnswers(t *testing.T) {
	r := start(t, Config{Sources: []Source{shop()}})
	for _, row := range []struct {
		name string
		kind dns.Type
		want string
	}{
		{"web.example.test", dns.TypeA, "RCodeSuccess: A 10.0.0.2 7, A 10.0.0.3 7"},
		{"WEB.Example.TEST", dns.TypeA, "RCodeSuccess: A 10.0.0.2 7, A 10.0.0.3 7"},
		{"web.example.test", dns.TypeAAAA, "RCodeSuccess: AAAA fd00::2 7"},
		{"web.example.test", dns.TypeALL, "RCodeSuccess: A 10.0.0.2 7, A 10.0.0.3 7, AAAA fd00::2 7"},
		{"web.example.test", dns.TypeMX, "RCodeSuccess: / SOA example.test. 5"},
		{"example.test", dns.TypeA, "RCodeSuccess: A 10.0.0.1 7"},
		{"_http._tcp.example.test", dns.TypeSRV, "RCodeSuccess: SRV 1 2 8080 a.example.test. 7"},
		{"1.0.0.10.example.test", dns.TypePTR, "RCodeSuccess: PTR web.example.test. 0"},
		{"alias.example.test", dns.TypeAAAA, "RCodeSuccess: CNAME web.example.test. 0, AAAA fd00::2 7"},
		{"circle.example.test", dns.TypeA, "RCodeSuccess: CNAME circle.example.test. 0"},
		{"circle.example.test", dns.TypeMX, "RCodeSuccess: CNAME circle.example.test. 0"},
		{"gone.example.test", dns.TypeA, "RCodeNameError: / SOA example.test. 5"},
		{"empty.nothing.example.test", dns.TypeA, "RCodeSuccess: / SOA example.test. 5"},
		{"anexample.test", dns.TypeA, "RCodeServerFailure:"}, // there is no resolver
	} {
		for _, network := range []string{"udp", "tcp"} {
			m, err := send(t, network, "", r.at, query(t, row.name, row.kind, extended(4096)))
			check(t, err)
			if got := show(m); got != row.want {
				t.Errorf("%s %v over %s: got %q, want %q", row.name, row.kind, network, got, row.want)
			}
			if m.ID != 4711 || !m.Response || len(m.Questions) != 1 || m.Questions[0].Name.String() != row.name+"." {
				t.Errorf("%s over %s: the answer is to %+v %v", row.name, network, m.Header, m.Questions)
			}
			if len(m.Additionals) != 1 || m.Additionals[0].Header.Type != dns.TypeOPT {
				t.Errorf("%s over %s: no EDNS in the answer: %v", row.name, network, m.Additionals)
			}
		}
	}
}

// show writes what a message says.
func show(m dns.Message) string {
	var answers, authorities []string
	for _, a := range m.Answers {
		answers = append(answers, record(a))
	}
	for _, a := range m.Authorities {
		authorities = append(authorities, record(a))
	}
	text := m.RCode.String() + ": " + strings.Join(answers, ", ")
	if len(authorities) > 0 {
		text += "/ " + strings.Join(authorities, ", ")
	}
	return strings.TrimSpace(text)
}

func record(a dns.Resource) string {
	ttl := a.Header.TTL
	switch b := a.Body.(type) {
	case *dns.AResource:
		return fmt.Sprintf("A %v %d", netip.AddrFrom4(b.A), ttl)
	case *dns.AAAAResource:
		return fmt.Sprintf("AAAA %v %d", netip.AddrFrom16(b.AAAA), ttl)
	case *dns.SRVResource:
		return fmt.Sprintf("SRV %d %d %d %v %d", b.Priority, b.Weight, b.Port, b.Target, ttl)
	case *dns.PTRResource:
		return fmt.Sprintf("PTR %v %d", b.PTR, ttl)
	case *dns.CNAMEResource:
		return fmt.Sprintf("CNAME %v %d", b.CNAME, ttl)
	case *dns.SOAResource:
		return fmt.Sprintf("SOA %v %d", a.Header.Name, b.MinTTL)
	}
	return a.Header.Type.String()
}

func TestStrangeMessages(t *testing.T) {
	r := start(t, Config{Sources: []Source{shop()}})
	good := query(t, "web.example.test", dns.TypeA)
	for _, row := range []struct {
		name string
		msg  []byte
		want dns.RCode
	}{
		{"an operation that is none of ours", query(t, "web.example.test", dns.TypeA, func(m *dns.Message) { m.OpCode = 5 }), dns.RCodeNotImplemented},
		{"another class", query(t, "version.bind", dns.TypeTXT, func(m *dns.Message) { m.Questions[0].Class = dns.ClassCHAOS }), dns.RCodeRefused},
		{"two questions", query(t, "web.example.test", dns.TypeA, func(m *dns.Message) { m.Questions = append(m.Questions, m.Questions[0]) }), dns.RCodeFormatError},
		{"no question", query(t, "web.example.test", dns.TypeA, func(m *dns.Message) { m.Questions = nil }), dns.RCodeFormatError},
		{"cut off", good[:len(good)-3], dns.RCodeFormatError},
	} {
		m, err := send(t, "udp", "", r.at, row.msg)
		if err != nil || m.RCode != row.want || m.ID != 4711 {
			t.Errorf("%s: got %v, %v, want %v", row.name, m.Header, err, row.want)
		}
	}

	// What is no question is not answered: the next one that is gets the first answer.
	conn, err := net.Dial("udp", r.at.String())
	check(t, err)
	defer conn.Close()
	check(t, conn.SetDeadline(time.Now().Add(wait)))
	for _, msg := range [][]byte{nil, {1, 2, 3}, query(t, "web.example.test", dns.TypeA, func(m *dns.Message) { m.Response, m.ID = true, 1 }), good} {
		_, err := conn.Write(msg)
		check(t, err)
	}
	in := make([]byte, maxMessage)
	n, err := conn.Read(in)
	check(t, err)
	var m dns.Message
	check(t, m.Unpack(in[:n]))
	if m.ID != 4711 {
		t.Errorf("the first answer is %+v", m.Header)
	}
}

func TestLongAnswersGoOverTCP(t *testing.T) {
	r := start(t, Config{Sources: []Source{shop()}})
	for _, row := range []struct {
		name string
		msg  []byte
		cut  bool
	}{
		{"plain", query(t, "long.example.test", dns.TypeA), true},
		{"EDNS", query(t, "long.example.test", dns.TypeA, extended(1232)), false},
		{"a size below the least", query(t, "long.example.test", dns.TypeA, extended(1)), true},
	} {
		m, err := send(t, "udp", "", r.at, row.msg)
		check(t, err)
		if m.Truncated != row.cut || (len(m.Answers) == 0) != row.cut || len(m.Authorities) > 0 {
			t.Errorf("%s: cut is %v with %d answers, want %v", row.name, m.Truncated, len(m.Answers), row.cut)
		}
	}
	found, err := goResolver(r.at).LookupNetIP(t.Context(), "ip4", "long.example.test.")
	if err != nil || len(found) != 60 {
		t.Errorf("Go's resolver found %d, %v", len(found), err)
	}
}

// goResolver is Go's own resolver with our server.
func goResolver(at netip.AddrPort) *net.Resolver {
	return &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, at.String())
	}}
}

func TestGoResolver(t *testing.T) {
	r := start(t, Config{Sources: []Source{shop()}})
	host, err := goResolver(r.at).LookupHost(t.Context(), "web.example.test.")
	check(t, err)
	slices.Sort(host)
	if diff := cmp.Diff([]string{"10.0.0.2", "10.0.0.3", "fd00::2"}, host); diff != "" {
		t.Error(diff)
	}
	_, srv, err := goResolver(r.at).LookupSRV(t.Context(), "http", "tcp", "example.test.")
	if err != nil || len(srv) != 1 || *srv[0] != (net.SRV{Target: "a.example.test.", Port: 8080, Priority: 1, Weight: 2}) {
		t.Errorf("SRV: %v, %v", srv, err)
	}
	_, err = goResolver(r.at).LookupHost(t.Context(), "gone.example.test.")
	if e, ok := err.(*net.DNSError); !ok || !e.IsNotFound { //nolint:errorlint // it is returned as it is
		t.Errorf("a name that is not there: %v", err)
	}
}

// TestViews: who asks from another machine is told our names only, and tasks are
// where they reach nothing.
func TestViews(t *testing.T) {
	u := newUpstream(t, func(_ string, q dns.Message) []dns.Message {
		return []dns.Message{reply(q, "example.org", "192.0.2.1")}
	})
	r := start(t, Config{Sources: []Source{shop()}, Upstream: u.list, Alone: true}, Machine, World)
	for i, want := range []dns.RCode{Task: dns.RCodeRefused, Machine: dns.RCodeSuccess, World: dns.RCodeRefused} {
		for _, network := range []string{"udp", "tcp"} {
			m, err := send(t, network, "", r.all()[i].at, query(t, "example.org", dns.TypeA))
			if err != nil || m.RCode != want {
				t.Errorf("view %d over %s: got %v, %v, want %v", i, network, m.RCode, err, want)
			}
			m, err = send(t, network, "", r.all()[i].at, query(t, "web.example.test", dns.TypeA))
			if err != nil || len(m.Answers) != 2 {
				t.Errorf("view %d over %s: our name has %v, %v", i, network, m.Answers, err)
			}
		}
	}
	if got := len(u.questions()); got != 2 {
		t.Errorf("%d questions were asked elsewhere, want 2", got)
	}
}

func TestZone(t *testing.T) {
	zones := []string{"example.test", "sub.example.test", "ample.test", ""}
	for name, want := range map[string]string{
		"example.test": "example.test", "a.b.example.test": "example.test", "x.sub.example.test": "sub.example.test",
		"anexample.test": "", "test": "", "ample.test": "ample.test", "": "",
	} {
		if got := Zone(name, zones); got != want {
			t.Errorf("%q is in %q, want %q", name, got, want)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(query(f, "web.example.test", dns.TypeA, extended(4096)))
	f.Add(query(f, "long.example.test", dns.TypeALL))
	f.Add([]byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01"))
	s := New(Config{Sources: []Source{shop()}, Alone: true}, nil)
	f.Fuzz(func(t *testing.T, msg []byte) {
		_ = answers(msg, msg)
		q, err := parse(msg)
		if err != nil && len(msg) < headSize {
			return
		}
		out, done := s.answer(&q, err, View{}, 512, nil)
		var m dns.Message
		if !done || len(out) > 512 || m.Unpack(out) != nil || !m.Response {
			t.Fatalf("answered %v with %x", done, out)
		}
	})
}
