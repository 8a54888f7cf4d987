package http2

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"neargate/internal/balancer/exchange"
)

// Each flood ends its connection, soon and with the right code, while a client of
// another connection is served as before.
func TestServerFloods(t *testing.T) {
	large := strings.Repeat("v", 4000)
	for name, flood := range map[string]struct {
		code http2.ErrCode
		send func(r *raw, i int) error // frame i of many
	}{
		"resets": {http2.ErrCodeEnhanceYourCalm, func(r *raw, i int) error {
			id := uint32(2*i + 1)
			if err := r.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: r.block(get()...), EndStream: true, EndHeaders: true}); err != nil {
				return err
			}
			return r.WriteRSTStream(id, http2.ErrCodeCancel)
		}},
		"streams above the limit": {http2.ErrCodeEnhanceYourCalm, func(r *raw, i int) error {
			return r.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*i + 1), BlockFragment: r.block(post()...), EndHeaders: true})
		}},
		"CONTINUATION without end": {http2.ErrCodeEnhanceYourCalm, func(r *raw, i int) error {
			if i == 0 {
				return r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: r.block(get()...), EndStream: true})
			}
			return r.WriteContinuation(1, false, r.block("x-a", "b"))
		}},
		"empty CONTINUATION": {http2.ErrCodeEnhanceYourCalm, func(r *raw, i int) error {
			if i == 0 {
				return r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: r.block(get()...), EndStream: true})
			}
			return r.WriteContinuation(1, false, nil)
		}},
		"PING":                  {http2.ErrCodeEnhanceYourCalm, func(r *raw, _ int) error { return r.WritePing(false, [8]byte{}) }},
		"SETTINGS":              {http2.ErrCodeEnhanceYourCalm, func(r *raw, _ int) error { return r.WriteSettings() }},
		"SETTINGS acknowledged": {http2.ErrCodeEnhanceYourCalm, func(r *raw, _ int) error { return r.WriteSettingsAck() }},
		"windows":               {http2.ErrCodeEnhanceYourCalm, func(r *raw, _ int) error { return r.WriteWindowUpdate(0, 1) }},
		"PRIORITY": {http2.ErrCodeEnhanceYourCalm, func(r *raw, i int) error {
			return r.WritePriority(uint32(2*i+1), http2.PriorityParam{Weight: 1})
		}},
		"unknown frames": {http2.ErrCodeEnhanceYourCalm, func(r *raw, _ int) error { return r.WriteRawFrame(0x77, 0, 0, nil) }},
		"empty DATA": {http2.ErrCodeEnhanceYourCalm, func(r *raw, i int) error {
			if i == 0 {
				return r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: r.block(post()...), EndHeaders: true})
			}
			return r.WriteData(1, false, nil)
		}},
		"DATA beyond the window": {http2.ErrCodeFlowControl, func(r *raw, i int) error {
			if i < 100 {
				return r.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*i + 1), BlockFragment: r.block(post()...), EndHeaders: true})
			}
			return r.WriteData(uint32(2*(i%100)+1), false, make([]byte, 16<<10))
		}},
		"DATA of ended streams": {http2.ErrCodeEnhanceYourCalm, func(r *raw, i int) error {
			if i == 0 {
				return r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: r.block(get()...), EndStream: true, EndHeaders: true})
			}
			return r.WriteData(1, false, []byte("x"))
		}},
		"a block without end": {http2.ErrCodeEnhanceYourCalm, func(r *raw, i int) error {
			if i == 0 {
				return r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: r.block(get()...), EndStream: true})
			}
			return r.WriteContinuation(1, false, r.block("x-large", large))
		}},
		"window beyond its limit": {http2.ErrCodeFlowControl, func(r *raw, _ int) error { return r.WriteWindowUpdate(0, 1<<31-1) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, exchange.DefaultSettings())
			release := make(chan struct{})
			t.Cleanup(func() { close(release) })
			w.forward(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/other" {
					_, _ = io.WriteString(rw, "served")
					return
				}
				select {
				case <-release:
				case <-r.Context().Done():
				}
			}))
			other := w.client()
			var served, failed atomic.Int64
			stop := make(chan struct{})
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for {
					select {
					case <-stop:
						return
					default:
					}
					resp, err := other.Get(w.url("/other"))
					if err != nil {
						failed.Add(1)
						continue
					}
					_ = resp.Body.Close()
					served.Add(1)
				}
			}()
			until(t, "another client served", func() bool { return served.Load() > 0 })
			r := w.rawClient()
			go func() {
				for i := range 200_000 {
					if flood.send(r, i) != nil {
						return
					}
				}
			}()
			if code, said := r.ending(); said && code != flood.code {
				t.Errorf("got code %v, want %v", code, flood.code)
			} else if !said {
				t.Log("the connection ended before its GOAWAY was read")
			}
			before := served.Load()
			until(t, "another client still served", func() bool { return served.Load() > before })
			close(stop)
			<-ended
			if failed.Load() > 0 {
				t.Errorf("of another client %d requests were served, %d failed", served.Load(), failed.Load())
			}
			until(t, "connection ended", func() bool {
				w.mu.Lock()
				defer w.mu.Unlock()
				return len(w.conns) == 1
			})
		})
	}
}

// What is malformed gets no further, and ends its stream or its connection.
func TestServerRefuses(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	reached := make(chan string, 1)
	w.forward(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		reached <- fmt.Sprint(r.Method, " ", r.URL, r.Header)
	}))
	replace := func(name, value string) []string {
		f := get()
		for i := 0; i < len(f); i += 2 {
			if f[i] == name {
				f[i+1] = value
			}
		}
		return f
	}
	without := func(name string) []string {
		var f []string
		for i := 0; i < len(get()); i += 2 {
			if get()[i] != name {
				f = append(f, get()[i:i+2]...)
			}
		}
		return f
	}
	for name, fields := range map[string][]string{
		"no method":                 without(":method"),
		"no scheme":                 without(":scheme"),
		"no path":                   without(":path"),
		"no authority":              without(":authority"),
		"empty path":                replace(":path", ""),
		"path without a slash":      replace(":path", "a"),
		"asterisk of GET":           replace(":path", "*"),
		"absolute path":             replace(":path", "http://b.example/"),
		"line end in the path":      replace(":path", "/ HTTP/1.1\r\nx: y"),
		"blank in the path":         replace(":path", "/a b"),
		"fragment in the path":      replace(":path", "/a#b"),
		"line end in the method":    replace(":method", "GET / HTTP/1.1\r\nx: y\r\n\r\nGET"),
		"blank in the method":       replace(":method", "GET /"),
		"CONNECT":                   replace(":method", "CONNECT"),
		"TRACE":                     replace(":method", "TRACE"),
		"another scheme":            replace(":scheme", "ftp"),
		"line end in the scheme":    replace(":scheme", "http\r\n"),
		"user in the authority":     replace(":authority", "u@a.example"),
		"slash in the authority":    replace(":authority", "a.example/b"),
		"line end in the authority": replace(":authority", "a.example\r\nx: y"),
		"method twice":              append([]string{":method", "GET"}, get()...),
		"path twice":                append([]string{":path", "/"}, get()...),
		"status":                    append([]string{":status", "200"}, get()...),
		"unknown pseudo-field":      append([]string{":unknown", "x"}, get()...),
		"pseudo-field late":         append([]string{"x-a", "b"}, get()...),
		"Host that differs":         get("host", "b.example"),
		"two Hosts":                 get("host", "a.example", "host", "a.example"),
		"upper case":                get("X-A", "b"),
		"empty name":                get("", "b"),
		"blank in a name":           get("x a", "b"),
		"colon in a name":           get("x:a", "b"),
		"line end in a name":        get("x\r\nb", "c"),
		"NUL in a name":             get("x\x00", "b"),
		"line feed in a value":      get("x-a", "b\nc: d"),
		"return in a value":         get("x-a", "b\rc"),
		"NUL in a value":            get("x-a", "b\x00c"),
		"control in a value":        get("x-a", "b\x01c"),
		"blank before a value":      get("x-a", " b"),
		"blank behind a value":      get("x-a", "b "),
		"Connection":                get("connection", "close"),
		"Connection: x-a":           get("connection", "x-a", "x-a", "b"),
		"Keep-Alive":                get("keep-alive", "timeout=5"),
		"Proxy-Connection":          get("proxy-connection", "close"),
		"Transfer-Encoding":         get("transfer-encoding", "chunked"),
		"Transfer-Encoding: id":     get("transfer-encoding", "identity"),
		"Upgrade":                   get("upgrade", "h2c"),
		"TE: gzip":                  get("te", "gzip"),
		"length of no body":         get("content-length", "5"),
		"two lengths":               get("content-length", "0", "content-length", "0"),
		"list of lengths":           get("content-length", "0, 0"),
		"length with a sign":        get("content-length", "+0"),
		"length in hex":             get("content-length", "0x0"),
		"empty length":              get("content-length", ""),
		"large length":              get("content-length", strings.Repeat("9", 30)),
		"field too large":           get("x-a", strings.Repeat("b", 17<<10)),
		"head too large":            get("x-a", strings.Repeat("b", 15<<10), "x-b", strings.Repeat("b", 15<<10), "x-c", strings.Repeat("b", 15<<10), "x-d", strings.Repeat("b", 15<<10), "x-e", strings.Repeat("b", 15<<10)),
		"path too long":             replace(":path", "/"+strings.Repeat("a", 16<<10)),
	} {
		t.Run(name, func(t *testing.T) {
			r := w.rawClient()
			r.AllowIllegalWrites = true
			block := r.block(fields...)
			_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:min(len(block), 16<<10)], EndStream: true, EndHeaders: len(block) <= 16<<10})
			for from := 16 << 10; from < len(block); from += 16 << 10 {
				to := min(len(block), from+16<<10)
				_ = r.WriteContinuation(1, to == len(block), block[from:to])
			}
			r.await("a refusal", func(f http2.Frame) bool {
				switch f := f.(type) {
				case *http2.MetaHeadersFrame:
					if s := f.PseudoValue("status"); s[0] != '4' {
						t.Errorf("got status %s", s)
					}
					return true
				case *http2.RSTStreamFrame:
					return true
				}
				return false
			})
			r.open(3, true, replace(":path", "/good")...)
			select {
			case got := <-reached:
				if !strings.HasPrefix(got, "GET /good") {
					t.Errorf("the target got %s", got)
				}
			case <-time.After(5 * time.Second):
				t.Error("the connection is of no use afterwards")
			}
		})
	}
}

// A body that is not as long as it should be is not passed on as if it were.
func TestServerRefusesBodies(t *testing.T) {
	for name, c := range map[string]struct {
		length string
		parts  []string
	}{
		"short":              {"10", []string{"hello"}},
		"long":               {"3", []string{"hello"}},
		"long in parts":      {"7", []string{"hello", "hello"}},
		"large and short":    {"100000", []string{strings.Repeat("a", 16<<10), "b"}},
		"large and too long": {"17000", []string{strings.Repeat("a", 16<<10), strings.Repeat("a", 16<<10)}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, exchange.DefaultSettings())
			whole := make(chan bool, 1)
			w.forward(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				whole <- err == nil
			}))
			r := w.rawClient()
			r.open(1, false, post("content-length", c.length)...)
			for i, p := range c.parts {
				_ = r.WriteData(1, i == len(c.parts)-1, []byte(p))
			}
			r.await("the stream's end", func(f http2.Frame) bool {
				rst, ok := f.(*http2.RSTStreamFrame)
				if ok && rst.ErrCode != http2.ErrCodeProtocol {
					t.Errorf("got %v", rst.ErrCode)
				}
				return ok
			})
			s, _ := w.finished(1)
			if s[0].Status != 400 {
				t.Errorf("got status %d", s[0].Status)
			}
			select {
			case ok := <-whole:
				if ok {
					t.Error("the target took the body for whole")
				}
			default: // it was not asked
			}
		})
	}
}

// Header blocks that unpack to much more than they are cost no memory.
func TestServerBombs(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	r := w.rawClient()
	value := strings.Repeat("a", 3900)
	r.open(1, true, get("x-bomb", value)...)
	if got := r.status(1); got != "200" {
		t.Fatalf("got %s", got)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	block := append(r.block(get()...), bytes.Repeat([]byte{0x80 | 62}, 16000)...)
	for id := uint32(3); id < 203; id += 2 {
		_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndStream: true, EndHeaders: true})
		if got := r.status(id); got != "400" {
			t.Fatalf("got %s", got)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.TotalAlloc - before.TotalAlloc); grown > 30<<20 {
		t.Errorf("allocated %d MB", grown>>20)
	}
	r.open(301, true, get()...)
	if got := r.status(301); got != "200" {
		t.Errorf("afterwards got %s", got)
	}
}

// A client that takes no answers keeps little of them here, and is left when
// nothing has moved for the idle timeout.
func TestServerSlowReader(t *testing.T) {
	set := exchange.DefaultSettings()
	set.IdleTimeout = 500 * time.Millisecond
	w := newWorld(t, set)
	w.forward(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		buf := make([]byte, 64<<10)
		for range 160 {
			if _, err := rw.Write(buf); err != nil {
				return
			}
		}
	}))
	for name, settings := range map[string][]http2.Setting{
		"closed windows": {{ID: http2.SettingInitialWindowSize, Val: 0}},
		"small windows":  {{ID: http2.SettingInitialWindowSize, Val: 100}},
		"no reading":     {{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1}},
	} {
		t.Run(name, func(t *testing.T) {
			w.mu.Lock()
			w.summaries = nil
			w.mu.Unlock()
			r := w.rawClient(settings...)
			if name == "no reading" {
				_ = r.WriteWindowUpdate(0, 1<<30)
			}
			for i := range 20 {
				r.open(uint32(2*i+1), true, get()...)
			}
			s, _ := w.finished(20)
			for _, s := range s {
				if s.SentBytes > 8<<20 {
					t.Errorf("%d octets were sent", s.SentBytes)
				}
			}
		})
	}
}

// Settings may close a window that was open.
func TestServerNegativeWindow(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	body := strings.Repeat("a", 200_000)
	w.forward(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, body) }))
	r := w.rawClient(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1000})
	r.open(1, true, get()...)
	got := 0
	take := func(n int) {
		t.Helper()
		r.await("body", func(f http2.Frame) bool {
			if d, ok := f.(*http2.DataFrame); ok {
				got += len(d.Data())
			}
			return got >= n
		})
		if got != n {
			t.Fatalf("got %d octets, want %d", got, n)
		}
	}
	take(1000)
	_ = r.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10})
	_ = r.WriteWindowUpdate(1, 990)
	_ = r.WriteWindowUpdate(1, 1)
	take(1001)
	_ = r.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	_ = r.WriteWindowUpdate(0, 1<<20)
	take(200_000)
}

// A connection that says nothing, or never ends what it says, ends.
func TestServerSilence(t *testing.T) {
	set := exchange.DefaultSettings()
	set.IdleTimeout = 100 * time.Millisecond
	w := newWorld(t, set)
	frame := binary.BigEndian.AppendUint32([]byte{0, 16, 0, byte(headersFrame), flagEndHeaders}, 1)
	for name, say := range map[string]string{
		"nothing":             "",
		"part of the preface": http2.ClientPreface[:10],
		"no settings":         http2.ClientPreface,
		"part of a frame":     http2.ClientPreface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00" + string(frame),
		"a block's beginning": http2.ClientPreface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01",
	} {
		t.Run(name, func(t *testing.T) {
			nc := newRaw(t, dialTCP(t, w.addr))
			_, _ = io.WriteString(nc, say)
			if code, _ := nc.ending(); code != http2.ErrCodeNo {
				t.Errorf("got %v", code)
			}
		})
	}
}
