package exchange

import (
	"context"
	"errors"
)

// errLeft is the cause of a Request.Context that ended because the client left.
var errLeft = errors.New("the client has gone")

// Gone notes that the client has left. It may be called from any goroutine, any
// number of times, between the beginning of Serve and its end.
func (f *Flow) Gone() {
	f.gone.Store(true)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waited != nil {
		f.waited(errLeft)
	}
	if f.try != nil {
		f.try.Wake()
	}
}

// Kill ends the request under way at once, for a server that ends hard. The
// context of Serve has ended before, or does now. It may be called from any
// goroutine, between Begin and the end of Serve.
func (f *Flow) Kill() {
	f.killed.Store(true)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.try != nil {
		f.try.Break()
	}
}

// use makes t the try that Gone and Kill reach.
func (f *Flow) use(t Try) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.try = t
	if t != nil && f.killed.Load() {
		t.Break()
	}
}

// claimContext returns a context for the Claim under way.
func (f *Flow) claimContext() context.Context {
	if f.waits != nil {
		return f.waits
	}
	ctx, cancel := context.WithCancelCause(f.ctx)
	f.mu.Lock()
	f.waits, f.waited = ctx, cancel
	f.mu.Unlock()
	if f.gone.Load() {
		cancel(errLeft)
	}
	f.client.Watch()
	return ctx
}

// endClaim ends the context of the Claim that was under way.
func (f *Flow) endClaim() {
	if f.waits == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waited(nil)
	f.waits, f.waited = nil, nil
}

// ended reports whether the server ends hard.
func (f *Flow) ended() bool { return f.killed.Load() || f.ctx.Err() != nil }
