package names

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dns "golang.org/x/net/dns/dnsmessage"
)

// hurry has resolvers that do not answer waited for no longer than a test likes.
func hurry() patience { return patience{200 * time.Millisecond, 500 * time.Millisecond} }

func TestForward(t *testing.T) {
	u := newUpstream(t, func(network string, q dns.Message) []dns.Message {
		m := reply(q, q.Questions[0].Name.String()[:len(q.Questions[0].Name.String())-1], "192.0.2.1", "192.0.2.2")
		if network == "udp" && len(q.Additionals) == 0 {
			m.Truncated, m.Answers = true, nil
		}
		return []dns.Message{m}
	})
	r := start(t, Config{Sources: []Source{shop()}, Upstream: u.list})
	found, err := goResolver(r.at).LookupHost(t.Context(), "www.example.org.")
	slices.Sort(found)
	if diff := cmp.Diff([]string{"192.0.2.1", "192.0.2.2"}, found); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	m, err := send(t, "udp", "", r.at, query(t, "www.example.org", dns.TypeA))
	if err != nil || !m.Truncated || m.ID != 4711 {
		t.Errorf("without EDNS: %+v, %v", m.Header, err)
	}
	m, err = send(t, "tcp", "", r.at, query(t, "www.example.org", dns.TypeA))
	if err != nil || len(m.Answers) != 2 || m.ID != 4711 {
		t.Errorf("over TCP: %+v, %v", m, err)
	}
}

// TestNextResolver: one that does not answer is passed over, and the one that
// did is asked first from then on.
func TestNextResolver(t *testing.T) {
	dead := newUpstream(t, func(string, dns.Message) []dns.Message { return nil })
	u := newUpstream(t, func(_ string, q dns.Message) []dns.Message {
		return []dns.Message{reply(q, "www.example.org", "192.0.2.1")}
	})
	r := start(t, Config{Upstream: func() []netip.AddrPort { return []netip.AddrPort{dead.at, u.at} }, patience: hurry()})
	for range 3 {
		if got := addresses(r.ask(t, "www.example.org", dns.TypeA)); len(got) != 1 {
			t.Errorf("got %v", got)
		}
	}
	if n := len(dead.questions()); n != 1 {
		t.Errorf("the one that does not answer was asked %d times, want 1", n)
	}
}

// TestPoison: what does not answer the question, comes from elsewhere or tells of
// our names is not believed.
func TestPoison(t *testing.T) {
	const good, bad = "192.0.2.1", "203.0.113.66"
	other, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(t, err)
	defer other.Close()
	var mu sync.Mutex
	var u *upstream
	attack := func(dns.Message) []dns.Message { return nil }
	u = newUpstream(t, func(network string, q dns.Message) []dns.Message {
		mu.Lock()
		defer mu.Unlock()
		answer := reply(q, "www.example.org", good)
		if network == "tcp" {
			return []dns.Message{answer}
		}
		return append(attack(q), answer)
	})
	r := start(t, Config{Sources: []Source{shop()}, Upstream: u.list, patience: hurry()})
	forged := func(change func(*dns.Message)) func(dns.Message) []dns.Message {
		return func(q dns.Message) []dns.Message {
			m := reply(q, "www.example.org", bad)
			m.Questions = slices.Clone(m.Questions)
			change(&m)
			return []dns.Message{m}
		}
	}
	for _, row := range []struct {
		name   string
		attack func(dns.Message) []dns.Message
	}{
		{"another ID", forged(func(m *dns.Message) { m.ID++ })},
		{"another name", forged(func(m *dns.Message) { m.Questions[0].Name = dns.MustNewName("www.example.com.") })},
		{"another type", forged(func(m *dns.Message) { m.Questions[0].Type = dns.TypeAAAA })},
		{"a question", forged(func(m *dns.Message) { m.Response = false })},
		{"another operation", forged(func(m *dns.Message) { m.OpCode = 4 })},
		{"no question at all", forged(func(m *dns.Message) { m.Questions = nil })},
	} {
		mu.Lock()
		attack = row.attack
		mu.Unlock()
		if got := addresses(r.ask(t, "www.example.org", dns.TypeA)); !slices.Equal(got, []string{good}) {
			t.Errorf("%s: got %v", row.name, got)
		}
	}

	// From another socket, to the port and with the ID that were used.
	mu.Lock()
	attack = func(q dns.Message) []dns.Message {
		m := reply(q, "www.example.org", bad)
		out, _ := m.Pack()
		u.mu.Lock()
		port := u.ports[len(u.ports)-1]
		u.mu.Unlock()
		_, _ = other.WriteToUDPAddrPort(out, netip.AddrPortFrom(u.at.Addr(), port))
		return nil
	}
	mu.Unlock()
	if got := addresses(r.ask(t, "www.example.org", dns.TypeA)); !slices.Equal(got, []string{good}) {
		t.Errorf("from another socket: got %v", got)
	}

	// Records of ours beside, in any section, under any spelling.
	for _, section := range []func(*dns.Message) *[]dns.Resource{
		func(m *dns.Message) *[]dns.Resource { return &m.Answers },
		func(m *dns.Message) *[]dns.Resource { return &m.Authorities },
		func(m *dns.Message) *[]dns.Resource { return &m.Additionals },
	} {
		mu.Lock()
		attack = func(q dns.Message) []dns.Message {
			m := reply(q, "www.example.org", good)
			ours := reply(q, "wEb.example.test", bad).Answers
			*section(&m) = append(*section(&m), ours...)
			return []dns.Message{m}
		}
		mu.Unlock()
		if m := r.ask(t, "www.example.org", dns.TypeA); m.RCode != dns.RCodeServerFailure {
			t.Errorf("with a record of our names: got %v", show(m))
		}
	}
	if got := addresses(r.ask(t, "web.example.test", dns.TypeA)); len(got) != 2 || slices.Contains(got, bad) {
		t.Errorf("our name became %v", got)
	}
}

// TestQuestionsCannotBeGuessed: each has an ID and a port of its own, not the
// client's.
func TestQuestionsCannotBeGuessed(t *testing.T) {
	u := newUpstream(t, func(_ string, q dns.Message) []dns.Message {
		return []dns.Message{reply(q, "www.example.org", "192.0.2.1")}
	})
	r := start(t, Config{Upstream: u.list})
	const n = 200
	for range n {
		r.ask(t, "www.example.org", dns.TypeA)
	}
	ids, ports := map[uint16]bool{}, map[uint16]bool{}
	for i, q := range u.questions() {
		ids[q.ID], ports[u.ports[i]] = true, true
	}
	// Of 200 drawn out of 65,536 a pair is the same as often as not, ten never are.
	if len(ids) < n-10 || len(ports) < n-50 {
		t.Errorf("%d questions had %d IDs and %d ports", n, len(ids), len(ports))
	}
}

// TestLoop: a resolver that asks us again what we have asked it, as one does
// that the machine's file of resolvers points to us, comes to an end, and costs
// a question or two.
func TestLoop(t *testing.T) {
	at := make(chan netip.AddrPort, 1)
	u := newUpstream(t, func(_ string, q dns.Message) []dns.Message {
		q.ID += 7
		msg, _ := q.Pack()
		us := <-at
		at <- us
		conn, err := net.Dial("udp", us.String())
		if err != nil {
			return nil
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(hurry().all)) // the server may have gone
		_, _ = conn.Write(msg)
		in := make([]byte, maxMessage)
		n, err := conn.Read(in)
		var m dns.Message
		if err != nil || m.Unpack(in[:n]) != nil {
			return nil
		}
		m.ID = q.ID - 7
		return []dns.Message{m}
	})
	r := start(t, Config{Upstream: u.list, patience: hurry()})
	at <- r.at
	if m := r.ask(t, "www.example.org", dns.TypeA); m.RCode != dns.RCodeServerFailure {
		t.Errorf("got %v", show(m))
	}
	if n := len(u.questions()); n > 2 {
		t.Errorf("the resolver was asked %d times", n)
	}
}

// TestOurselvesAreNoResolver: the file of resolvers may name us, as after
// 'neargate dns install'.
func TestOurselvesAreNoResolver(t *testing.T) {
	u := newUpstream(t, func(_ string, q dns.Message) []dns.Message {
		return []dns.Message{reply(q, "www.example.org", "192.0.2.1")}
	})
	var all atomic.Pointer[[]netip.AddrPort]
	r := start(t, Config{Upstream: func() []netip.AddrPort { return *all.Load() }, patience: hurry()}, Machine)
	all.Store(&[]netip.AddrPort{r.all()[1].at, r.at, u.at})
	if got := addresses(r.ask(t, "www.example.org", dns.TypeA)); len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

// TestFlood: a client whose questions nobody answers has a bounded number under
// way and is refused more, and others are served meanwhile.
func TestFlood(t *testing.T) {
	u := newUpstream(t, func(_ string, q dns.Message) []dns.Message {
		if q.Questions[0].Name.String() == "www.example.org." {
			return []dns.Message{reply(q, "www.example.org", "192.0.2.1")}
		}
		return nil
	})
	r := start(t, Config{Sources: []Source{shop()}, Upstream: u.list})
	conn, err := net.Dial("udp", r.at.String())
	check(t, err)
	defer conn.Close()
	const more = 36
	for i := range forwardsPerClient + more {
		_, err := conn.Write(query(t, "slow.example.org", dns.TypeA, func(m *dns.Message) { m.Questions[0].Type = dns.Type(1000 + i) }))
		check(t, err)
	}
	check(t, conn.SetDeadline(time.Now().Add(wait)))
	in := make([]byte, maxMessage)
	for range more {
		n, err := conn.Read(in)
		check(t, err)
		var m dns.Message
		check(t, m.Unpack(in[:n]))
		if m.RCode != dns.RCodeServerFailure {
			t.Errorf("one too many got %v", show(m))
		}
	}
	if m := r.ask(t, "web.example.test", dns.TypeA); len(m.Answers) != 2 {
		t.Errorf("the same client asks for our name: %v", show(m))
	}
	m, err := send(t, "udp", "127.0.0.2", r.at, query(t, "www.example.org", dns.TypeA))
	if err != nil || len(m.Answers) != 1 {
		t.Errorf("another client: %v, %v", show(m), err)
	}
}

func TestClientsAreLimited(t *testing.T) {
	now := time.Unix(1000, 0)
	c := newClients(func() time.Time { return now })
	a, b := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3")
	ask := func(who netip.Addr, n int, v From) (admitted int) {
		for range n {
			if c.admit(who, v) {
				admitted++
			}
		}
		return admitted
	}
	for _, row := range []struct {
		name string
		got  int
		want int
	}{
		{"in a second", ask(a, 5000, Task), questionsPerSecond},
		{"another client in that second", ask(b, 10, Task), 10},
		{"the machine's own programs", ask(a, 5000, Machine), 5000},
	} {
		if row.got != row.want {
			t.Errorf("%s: %d admitted, want %d", row.name, row.got, row.want)
		}
	}
	now = now.Add(time.Second)
	if got := ask(a, 10, Task); got != 10 {
		t.Errorf("in the next second: %d admitted, want 10", got)
	}
	var ends []func()
	for {
		done, ok := c.stream(a, Task)
		if !ok {
			break
		}
		ends = append(ends, done)
	}
	if _, ok := c.stream(b, Task); !ok || len(ends) != streamsPerClient {
		t.Errorf("%d streams, and another client has %v", len(ends), ok)
	}
	ends[0]()
	if _, ok := c.stream(a, Task); !ok {
		t.Error("no stream after one has ended")
	}
	forged := netip.MustParseAddr("198.18.0.0")
	for range 3 * maxClients {
		forged = forged.Next()
		c.admit(forged, World)
	}
	if len(c.by) > maxClients {
		t.Errorf("%d clients are kept", len(c.by))
	}
}

func TestIdleStreamsAreBounded(t *testing.T) {
	r := start(t, Config{Sources: []Source{shop()}})
	var held []net.Conn
	for range streamsPerClient {
		conn, err := net.Dial("tcp", r.at.String())
		check(t, err)
		defer conn.Close()
		check(t, writeMessage(conn, query(t, "web.example.test", dns.TypeA)))
		_, err = readMessage(conn)
		check(t, err)
		held = append(held, conn)
	}
	if _, err := send(t, "tcp", "", r.at, query(t, "web.example.test", dns.TypeA)); err == nil {
		t.Error("one connection too many was served")
	}
	if m, err := send(t, "tcp", "127.0.0.2", r.at, query(t, "web.example.test", dns.TypeA)); err != nil || len(m.Answers) != 2 {
		t.Errorf("another client: %v, %v", show(m), err)
	}
	check(t, writeMessage(held[0], query(t, "web.example.test", dns.TypeA)))
	if _, err := readMessage(held[0]); err != nil {
		t.Errorf("a second question on a connection: %v", err)
	}
}

func TestResolversOfTheMachine(t *testing.T) {
	dir := t.TempDir()
	r := &Resolvers{file: filepath.Join(dir, "resolv.conf"), real: filepath.Join(dir, "real")}
	write := func(path, text string) { check(t, os.WriteFile(path, []byte(text), 0o600)) }
	show := func() (out []string) {
		for _, a := range r.List() {
			out = append(out, a.String())
		}
		return out
	}
	for _, row := range []struct {
		file, real string
		want       []string
	}{
		{"", "", nil},
		{"# nameserver 1.1.1.1\nsearch lan\nnameserver 192.0.2.1\nnameserver\nnameserver x\nnameserver fe80::1%eth0\n", "", []string{"192.0.2.1:53", "[fe80::1%eth0]:53"}},
		{"nameserver 127.0.0.1\n", "nameserver 192.0.2.7\n", []string{"127.0.0.1:53"}},
		{"nameserver 127.0.0.53\noptions edns0\n", "nameserver 192.0.2.7\nnameserver 192.0.2.8\n", []string{"192.0.2.7:53", "192.0.2.8:53"}},
		{"nameserver 127.0.0.53\n", "", nil},
	} {
		write(r.file, row.file)
		write(r.real, row.real)
		if diff := cmp.Diff(row.want, show()); diff != "" {
			t.Errorf("%q, %q: %s", row.file, row.real, diff)
		}
	}
}

// TestAliasOfANameElsewhere: the client gets the whole chain, as it does not ask
// again.
func TestAliasOfANameElsewhere(t *testing.T) {
	u := newUpstream(t, func(_ string, q dns.Message) []dns.Message {
		return []dns.Message{reply(q, "www.example.org", "192.0.2.1")}
	})
	r := start(t, Config{Sources: []Source{shop()}, Upstream: u.list})
	for _, network := range []string{"udp", "tcp"} {
		m, err := send(t, network, "", r.at, query(t, "Away.example.test", dns.TypeA))
		if got := show(m); err != nil || got != "RCodeSuccess: CNAME www.example.org. 0, A 192.0.2.1 9" || m.ID != 4711 || m.Questions[0].Name.String() != "Away.example.test." {
			t.Errorf("over %s: %s, %v", network, got, err)
		}
	}
	if found, err := goResolver(r.at).LookupNetIP(t.Context(), "ip4", "away.example.test."); err != nil || len(found) != 1 {
		t.Errorf("Go's resolver: %v, %v", found, err)
	}
	for _, q := range u.questions() {
		if name := q.Questions[0].Name.String(); name != "www.example.org." {
			t.Errorf("%s was asked elsewhere", name)
		}
	}
}
