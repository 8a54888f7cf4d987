package http2

import (
	"net/http"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"

	"neargate/internal/balancer/exchange"
)

// Requests of all clients together are bounded: streams beyond are refused, and taken
// once there is room again.
func TestRoomForRequests(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	w.srv.most = 2
	release := make(chan struct{})
	var waiting atomic.Int64
	w.forward(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		waiting.Add(1)
		<-release
	}))
	first := w.rawClient()
	for stream := uint32(1); stream <= 3; stream += 2 {
		first.headers(stream)
	}
	until(t, "two requests at the target", func() bool { return waiting.Load() == 2 })
	second := w.rawClient()
	second.headers(1)
	second.await("RST_STREAM", func(f http2.Frame) bool {
		reset, ok := f.(*http2.RSTStreamFrame)
		return ok && reset.ErrCode == http2.ErrCodeRefusedStream
	})
	close(release)
	until(t, "the requests' ends", func() bool { return w.srv.running.Load() == 0 })
	second.headers(3)
	second.await("an answer", func(f http2.Frame) bool {
		head, ok := f.(*http2.MetaHeadersFrame)
		return ok && head.StreamID == 3 && head.PseudoValue("status") == "200"
	})
}

// headers sends a GET.
func (r *raw) headers(stream uint32) {
	_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: r.block(get()...), EndHeaders: true, EndStream: true})
}
