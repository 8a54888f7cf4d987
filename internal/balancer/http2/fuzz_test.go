package http2

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"neargate/internal/balancer/exchange"
)

// checker is a Router that looks at what reaches it.
type checker struct {
	*world
	t *testing.T
}

func (c *checker) Route(r *exchange.Request) exchange.Verdict {
	for _, s := range []string{r.Method, r.URI, r.Host} {
		if strings.ContainsAny(s, "\r\n\x00 \t") || s == "" {
			c.t.Errorf("%q got through", s)
		}
	}
	for name, value := range r.Headers {
		if strings.ContainsAny(name, "\r\n\x00 \t:") || name == "" || strings.ToLower(name) != name || strings.ContainsAny(value, "\r\n\x00") {
			c.t.Errorf("%q: %q got through", name, value)
		}
		switch name {
		case "connection", "transfer-encoding", "upgrade", "keep-alive", "proxy-connection":
			c.t.Errorf("%s got through", name)
		}
	}
	return exchange.Verdict{Answer: &exchange.Answer{Status: 200, Body: "hello"}}
}

// FuzzServer has a client send anything after the preface: the connection ends, in
// order, and nothing that could be read as something else gets through.
func FuzzServer(f *testing.F) {
	var buf, block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for i, v := range get("cookie", "a=b", "cookie", "c=d", "x-a", "b", "te", "trailers") {
		if i%2 == 0 {
			_ = enc.WriteField(hpack.HeaderField{Name: v, Value: get("cookie", "a=b", "cookie", "c=d", "x-a", "b", "te", "trailers")[i+1]})
		}
	}
	fr := http2.NewFramer(&buf, nil)
	_ = fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10})
	_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true})
	_ = fr.WriteWindowUpdate(1, 100)
	f.Add(bytes.Clone(buf.Bytes()))
	_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: block.Bytes()[:5], PadLength: 3})
	_ = fr.WriteContinuation(3, true, block.Bytes()[5:])
	_ = fr.WriteDataPadded(3, false, []byte("data"), make([]byte, 9))
	_ = fr.WritePing(false, [8]byte{1})
	_ = fr.WriteRSTStream(3, http2.ErrCodeCancel)
	_ = fr.WriteGoAway(0, http2.ErrCodeNo, nil)
	f.Add(bytes.Clone(buf.Bytes()))
	f.Fuzz(func(t *testing.T, p []byte) {
		srv := NewServer(0)
		defer srv.Wait()
		w := &world{t: t}
		set := exchange.DefaultSettings()
		set.IdleTimeout = time.Second
		proxy := exchange.NewProxy(exchange.Config{Router: &checker{w, t}, Observer: w, Log: slog.New(slog.DiscardHandler), Settings: set})
		near, far := net.Pipe()
		c := srv.Conn(t.Context(), proxy, &exchange.Conn{Scheme: "http", Started: time.Now()}, far)
		ended := make(chan struct{})
		go func() { defer close(ended); c.Serve() }()
		go func() {
			_, _ = io.WriteString(near, http2.ClientPreface)
			_, _ = near.Write(p)
			_ = near.Close()
		}()
		read := make(chan struct{})
		go func() { defer close(read); _, _ = io.Copy(io.Discard, near) }()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Error("the connection does not end")
			c.Kill()
		}
		<-ended
		<-read
	})
}
