package front

import "context"

// Pass is how who serves connections goes on when its context ends, because another
// process takes its place: first as before, but without deciding or writing anything;
// when the other serves, only for the clients that it has.
type Pass struct {
	still  chan struct{}
	retire chan struct{}
	ctx    context.Context // its end is that of all that is left
}

// NewPass returns a pass to one who serves. The end of ctx cuts what is left.
func NewPass(ctx context.Context) *Pass {
	return &Pass{make(chan struct{}), make(chan struct{}), ctx}
}

// Settle is called, once, by who serves: it decides and writes nothing any more.
func (p *Pass) Settle() { close(p.still) }

// Settled is closed then.
func (p *Pass) Settled() <-chan struct{} { return p.still }

// Retire is called, once, when the other process serves: new connections are its own.
func (p *Pass) Retire() { close(p.retire) }

// Wait waits until the other process serves, and reports whether it does; else what is
// left is to end.
func (p *Pass) Wait() bool {
	select {
	case <-p.retire:
		return true
	case <-p.ctx.Done():
		return false
	}
}

// Context ends when what is left is to end.
func (p *Pass) Context() context.Context { return p.ctx }
