package front_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"neargate/internal/balancer/front"
)

// TestTooManyConnectionsAreRejected: servers that share a limit share it.
func TestTooManyConnectionsAreRejected(t *testing.T) {
	limit := front.NewLimit(1)
	one, other := serve(t, front.Config{Limit: limit}), serve(t, front.Config{Limit: limit})
	first := one.dial(t)
	says(t, first, "in\n")
	for _, w := range []*world{one, other} {
		if rest, err := io.ReadAll(w.dial(t)); len(rest) > 0 || err != nil {
			t.Errorf("got %q, %v, want an end", rest, err)
		}
		w.until(t, "the rejection", func() bool { return w.rejected == 1 })
	}
	_ = first.Close()
	one.until(t, "the end of the first", func() bool { return one.closed == 1 })
	eventually := func() bool { // the place is free a moment after the end is counted
		c := other.dial(t)
		_, err := io.WriteString(c, "x")
		if err == nil {
			_, err = io.ReadFull(c, make([]byte, 1))
		}
		return err == nil
	}
	for done := false; !done; {
		done = eventually()
	}
}

// Whom nobody lets in is reset, and counts for nothing.
func TestWhoIsNotAdmitted(t *testing.T) {
	w := serve(t, front.Config{Admits: func(netip.Addr) bool { return false }})
	c, err := net.Dial("tcp", w.addr)
	if err == nil { // it was not reset before the dialler looked
		var rest []byte
		rest, err = io.ReadAll(c)
		_ = c.Close()
		if len(rest) > 0 {
			t.Errorf("got %q", rest)
		}
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
	if w.opened != 0 {
		t.Error("the client is counted")
	}
}

func TestDrain(t *testing.T) {
	w := serve(t, front.Config{})
	c := w.dial(t)
	says(t, c, "in\n")
	w.Drain()
	if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
		t.Errorf("got %q, %v, want an end", rest, err)
	}
	if late, err := net.Dial("tcp", w.addr); err == nil {
		_ = late.Close()
		t.Error("a client connects to a drained server")
	}
}

// header2 is a PROXY header of version 2.
func header2(command byte, from, to netip.AddrPort, more string) string {
	family, addresses := byte(0x11), append(from.Addr().AsSlice(), to.Addr().AsSlice()...)
	if from.Addr().Is6() {
		family = 0x21
	}
	addresses = binary.BigEndian.AppendUint16(addresses, from.Port())
	addresses = binary.BigEndian.AppendUint16(addresses, to.Port())
	out := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), command, family)
	out = binary.BigEndian.AppendUint16(out, uint16(len(addresses)+len(more)))
	return string(append(out, addresses...)) + more
}

func TestPROXY(t *testing.T) {
	loopback := front.Proxies{netip.MustParsePrefix("127.0.0.0/8")}
	client, me := netip.MustParseAddrPort("192.0.2.1:4711"), netip.MustParseAddrPort("198.51.100.7:443")
	client6, me6 := netip.MustParseAddrPort("[2001:db8::1]:4711"), netip.MustParseAddrPort("[2001:db8::2]:443")
	for name, row := range map[string]struct {
		header string
		want   string // the client that the codec is told of; "": it is told of none
	}{
		"version 1":             {"PROXY TCP4 192.0.2.1 198.51.100.7 4711 443\r\n", "192.0.2.1:4711"},
		"version 1, IPv6":       {"PROXY TCP6 2001:db8::1 2001:db8::2 4711 443\r\n", "[2001:db8::1]:4711"},
		"version 1, unknown":    {"PROXY UNKNOWN\r\n", "itself"},
		"version 1, unknown, +": {"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "itself"},
		"version 2":             {header2(0x21, client, me, ""), "192.0.2.1:4711"},
		"version 2, IPv6":       {header2(0x21, client6, me6, ""), "[2001:db8::1]:4711"},
		"version 2 and more":    {header2(0x21, client, me, "\x03\x00\x04\x01\x02\x03\x04"), "192.0.2.1:4711"},
		"version 2, local":      {header2(0x20, client, me, ""), "itself"},
		"none":                  {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		"another family":        {"PROXY TCP4 2001:db8::1 2001:db8::2 4711 443\r\n", ""},
		"no address":            {"PROXY TCP4 one two 4711 443\r\n", ""},
		"a port too high":       {"PROXY TCP4 192.0.2.1 198.51.100.7 65536 443\r\n", ""},
		"too few words":         {"PROXY TCP4 192.0.2.1 198.51.100.7 4711\r\n", ""},
		"too long":              {"PROXY UNKNOWN " + string(make([]byte, 120)) + "\r\n", ""},
		"another version":       {header2(0x31, client, me, ""), ""},
		"too short for its own": {"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x04\x01\x02\x03\x04", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := serve(t, front.Config{Proxies: loopback})
			c := w.dial(t)
			if _, err := io.WriteString(c, row.header); err != nil {
				t.Fatal(err)
			}
			if row.want == "" {
				_ = c.(*net.TCPConn).CloseWrite()
				if rest, _ := io.ReadAll(c); len(rest) > 0 || len(w.seen) > 0 {
					t.Errorf("it is served: %q", rest)
				}
				return
			}
			says(t, c, "hello\n")
			want := row.want
			if want == "itself" {
				want = c.LocalAddr().String()
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			if got := w.seen[0].RemoteAddr().String(); got != want || w.from[0] != netip.MustParseAddrPort(want).Addr() {
				t.Errorf("the codec is told of %s, and %s is counted, want %s", got, w.from[0], want)
			}
		})
	}
	// Elsewhere a header is the client's own affair.
	w := serve(t, front.Config{Proxies: front.Proxies{netip.MustParsePrefix("10.0.0.0/8")}})
	says(t, w.dial(t), "PROXY TCP4 192.0.2.1 198.51.100.7 4711 443\r\n")
}

// Whether the client that a proxy names is let in, is asked of that client.
func TestPROXYAndWhoIsAdmitted(t *testing.T) {
	allowed := netip.MustParseAddr("192.0.2.1")
	w := serve(t, front.Config{
		Proxies: front.Proxies{netip.MustParsePrefix("127.0.0.0/8")},
		Admits:  func(a netip.Addr) bool { return a == allowed },
	})
	c := w.dial(t)
	says2 := func(header string) error {
		if _, err := io.WriteString(c, header+"x"); err != nil {
			return err
		}
		_, err := io.ReadFull(c, make([]byte, 1))
		return err
	}
	if err := says2("PROXY TCP4 192.0.2.1 198.51.100.7 4711 443\r\n"); err != nil {
		t.Error(err)
	}
	c = w.dial(t)
	if says2("PROXY TCP4 192.0.2.2 198.51.100.7 4711 443\r\n") == nil {
		t.Error("a client whom nobody lets in is served")
	}
}
