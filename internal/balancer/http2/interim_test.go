package http2

import (
	"errors"
	"net/http"
	"os"
	"testing"

	"golang.org/x/net/http2"

	"neargate/internal/balancer/exchange"
)

// interim sends an interim head.
func (r *raw) interim(stream uint32, status string) error {
	return r.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: r.block(":status", status, "link", "x"), EndHeaders: true})
}

// TestTargetThatFloodsIsCut: interim heads of an answer have an end, and so have those
// that come for a request that is over.
func TestTargetThatFloodsIsCut(t *testing.T) {
	for _, status := range []string{"100", "102", "103"} {
		t.Run(status, func(t *testing.T) {
			w := newWorld(t, exchange.DefaultSettings())
			cut := make(chan error, 1)
			w.script(func(_ int, r *raw) {
				_ = r.WriteSettings()
				r.each(func(h *http2.MetaHeadersFrame) {
					var err error
					for err == nil {
						err = r.interim(h.StreamID, status)
					}
					cut <- err
				})
			})
			resp, _, err := w.get()
			if err != nil || resp.StatusCode != http.StatusBadGateway {
				t.Errorf("got %v, %v, want a 502", resp, err)
			}
			if _, o := w.finished(1); o[0].Failure != exchange.BadAnswer {
				t.Errorf("got %v, want a bad answer", o[0].Failure)
			}
			if err := <-cut; errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %v, want the connection cut", err)
			}
		})
	}
}

// TestAsManyInterimHeadsAsAllowed leave the answer as it is.
func TestAsManyInterimHeadsAsAllowed(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	w.script(func(_ int, r *raw) {
		_ = r.WriteSettings()
		r.each(func(h *http2.MetaHeadersFrame) {
			for range exchange.MaxInterim {
				if err := r.interim(h.StreamID, "103"); err != nil {
					return
				}
			}
			r.answer(h.StreamID, true)
		})
	})
	for range 2 { // each request has its own
		if resp, _, err := w.get(); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("got %v, %v, want a 200", resp, err)
		}
	}
}
