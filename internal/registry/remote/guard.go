package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// maxTokenBytes bounds what a token server answers, which is read whole.
	maxTokenBytes = 1 << 20
	// stallBytes is what must come of an answer in each Patience.Stall.
	stallBytes = 16 << 10
)

// errStalled ends an answer that stops coming.
var errStalled = errors.New("the registry stopped sending")

// guard is the transport of one registry. Redirects and the addresses of token
// servers are the registry's to choose, so it refuses what they may not lead to,
// and ends answers that stop coming.
type guard struct {
	base  http.RoundTripper
	local bool // the registry is on loopback
	stall time.Duration
}

// RoundTrip sends a request and watches over the answer.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && (req.URL.Scheme != "http" || !g.local || !isLoopback(req.URL.Host)) {
		return nil, permanent(fmt.Errorf("%s://%s is refused: plain HTTP is spoken on loopback only", req.URL.Scheme, req.URL.Host))
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	resp, err := g.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel(nil)
		return nil, err
	}
	w := &watched{ReadCloser: resp.Body, ctx: ctx, cancel: cancel, stall: g.stall}
	w.timer = time.AfterFunc(g.stall, func() { cancel(errStalled) })
	resp.Body = w
	if req.Header.Get("Accept") == "" { // every request of ours has it: this one is for a token
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(w, maxTokenBytes), w}
	}
	return resp, nil
}

// watched is the body of an answer that has to keep coming. It is read by one
// goroutine.
type watched struct {
	io.ReadCloser
	ctx    context.Context // of this one answer, as a body has none
	cancel context.CancelCauseFunc
	timer  *time.Timer
	stall  time.Duration
	fresh  int // bytes since the timer was set
}

// Read reads on, and sets the timer again when enough has come.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if w.fresh += n; w.fresh >= stallBytes {
		w.fresh = 0
		w.timer.Reset(w.stall)
	}
	if err != nil && err != io.EOF && errors.Is(context.Cause(w.ctx), errStalled) {
		err = errStalled
	}
	return n, err
}

// Close ends the answer.
func (w *watched) Close() error {
	w.timer.Stop()
	err := w.ReadCloser.Close()
	w.cancel(nil)
	return err
}
