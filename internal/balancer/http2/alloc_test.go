package http2

import (
	"io"
	"net"
	"testing"

	"golang.org/x/net/http2"

	"neargate/internal/balancer/exchange"
)

// In steady state a request allocates nothing, from the client's frames to the
// target's and back.
func TestForwardAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for name, forwards := range map[string]bool{"own answer": false, "forwarded": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, exchange.DefaultSettings())
			w.quiet = true
			if forwards {
				w.forwardTo(steadyTarget(t))
			}
			nc := dialTCP(t, w.addr)
			defer nc.Close()
			c := newSteady(t, nc)
			for range 200 {
				c.request()
			}
			if n := testing.AllocsPerRun(1000, c.request); n > 0 {
				t.Errorf("%.1f allocations a request", n)
			}
		})
	}
}

// steady is a client that allocates nothing.
type steady struct {
	t      testing.TB
	nc     net.Conn
	stream uint32
	out    []byte
	in     []byte
	held   int
}

func newSteady(tb testing.TB, nc net.Conn) *steady {
	tb.Helper()
	if _, err := io.WriteString(nc, http2.ClientPreface+"\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
		tb.Fatal(err)
	}
	c := &steady{t: tb, nc: nc, stream: 1, in: make([]byte, 64<<10)}
	// :method GET, :scheme http, :path /, and :authority and a field as literals.
	c.out = append(c.out, 0, 0, 0, 1, 5, 0, 0, 0, 0, 0x82, 0x86, 0x84, 0x01, 3, 'a', '.', 'b', 0x0f, 0x2b, 4, 'c', 'u', 'r', 'l')
	c.out[2] = byte(len(c.out) - headerLen)
	return c
}

// request sends a request and reads its answer.
func (c *steady) request() {
	c.out[5], c.out[6], c.out[7], c.out[8] = byte(c.stream>>24), byte(c.stream>>16), byte(c.stream>>8), byte(c.stream)
	c.stream += 2
	if _, err := c.nc.Write(c.out); err != nil {
		c.t.Fatal(err)
	}
	c.frames(func(h frameHeader) bool { return h.kind == dataFrame && h.has(flagEndStream) })
}

// frames reads frames until one is the last.
func (c *steady) frames(last func(frameHeader) bool) {
	for {
		for c.held >= headerLen {
			h := parseFrameHeader(c.in)
			if c.held < headerLen+h.length {
				break
			}
			c.held = copy(c.in, c.in[headerLen+h.length:c.held])
			if last(h) {
				return
			}
		}
		n, err := c.nc.Read(c.in[c.held:])
		if err != nil {
			c.t.Fatal(err)
		}
		c.held += n
	}
}

// steadyTarget is a target that allocates nothing: each request gets "hello".
func steadyTarget(tb testing.TB) (addr string) {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	ended := make(chan struct{})
	tb.Cleanup(func() { _ = ln.Close(); <-ended })
	go func() {
		defer close(ended)
		nc, err := ln.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		in := make([]byte, 64<<10)
		held := 0
		for held < len(preface) {
			n, err := nc.Read(in[held:])
			if err != nil {
				return
			}
			held += n
		}
		held = copy(in, in[len(preface):held])
		out := appendFrameHeader(nil, frameHeader{kind: settingsFrame})
		for {
			for held >= headerLen {
				h := parseFrameHeader(in)
				if held < headerLen+h.length {
					break
				}
				held = copy(in, in[headerLen+h.length:held])
				if h.kind == headersFrame {
					out = appendFrameHeader(out, frameHeader{length: 1, kind: headersFrame, flags: flagEndHeaders, stream: h.stream})
					out = append(out, 0x88)
					out = appendFrameHeader(out, frameHeader{length: 5, kind: dataFrame, flags: flagEndStream, stream: h.stream})
					out = append(out, "hello"...)
				}
			}
			if _, err := nc.Write(out); err != nil {
				return
			}
			out = out[:0]
			n, err := nc.Read(in[held:])
			if err != nil {
				return
			}
			held += n
		}
	}()
	return ln.Addr().String()
}
