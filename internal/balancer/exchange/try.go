package exchange

import (
	"context"
	"time"
)

// Forward is the head of a request as a target gets it. Field names are tokens
// and values clean of line ends.
type Forward struct {
	Method    string
	Scheme    string // "http" or "https", as the target is spoken to
	Authority string // what the Host field has
	URI       string // in origin form, or "*"
	// Fields are all that the target gets, in order, without what the codec's
	// framing adds. Host and a Content-Length are among them.
	Fields   []Field
	Length   int64 // of the body; Unknown if it ends by itself
	Form     Form  // of the body's parts
	Upgrade  bool  // to a WebSocket
	Trailers bool  // the client takes trailers: a target may be told so
	// Idle is how long a write may go without progress, until ErrIdle.
	Idle time.Duration
}

// Head is the head of an answer on its way from a target, or from us, to a
// client.
type Head struct {
	Status int // 101 of an upgrade that was accepted, whatever the protocol's number
	Reason string
	// Fields are those that pass, in order: the target's codec leaves out what is
	// of its connection and its framing. Content-Length is among them.
	Fields []Field
	Length int64 // of the body; Unknown if it ends by itself; 0 of answers that have none
	// Bodiless is of an answer that has no body whatever Content-Length says: to
	// HEAD, 204, 304.
	Bodiless bool
	// Chunks reports that the body can be had as HTTP/1 chunks, as they came. Form
	// is what the parts passed to Client.Write are.
	Chunks bool
	Form   Form
	// Own is of an answer that we made ourselves.
	Own bool
	// UntilClose is of a body that ends with the target's connection: its end may
	// be a failure that nobody can see.
	UntilClose bool
	// Last reports that the target takes no other request on the connection.
	Last bool
	// Close reports that the client's connection is not for another request, which
	// an HTTP/1 client is told.
	Close bool
	// Raw is the head as HTTP/1.1 bytes, if it may go to an HTTP/1.1 client as it
	// is; who changes anything sets it to nil. The first part of the body may
	// lie right behind it in memory.
	Raw []byte
}

// Try is one try of a request: a connection to a target, or a stream of one.
// After Head with status 101 its Body is what the target sends from then on.
type Try interface { //nolint:interfacebloat // what a codec does with one try
	Body
	// Send sends the head and what there is of the body; end reports that this is
	// all, and may leave the sending to Head. It is called once; p and what fwd
	// refers to stay unchanged until Head has returned.
	Send(fwd *Forward, p []byte, end bool) error
	// Write sends more of the body, from another goroutine than the one that reads.
	Write(p []byte, end bool) error
	// WriteTrailers ends the body with trailers.
	WriteTrailers(fields []Field) error
	// Head waits for the next head, interim or final, no longer than limit, and
	// fills h, whose Fields are reused. Its views are valid until the next call of
	// Head, of a final one until Release. After ErrIdle or ErrWoken it can be
	// called again.
	Head(h *Head, limit time.Duration) error
	// Linger waits, after the end of the answer, until the target takes no more of
	// the request (nil), or until limit or a Wake ends the wait.
	Linger(limit time.Duration) error
	// Reused reports whether the connection had served requests before.
	Reused() bool
	// Counts returns the octets that came from and went to the target.
	Counts() (received, sent int64)
	// Break has everything that is under way fail at once. It may be called from
	// any goroutine until Free.
	Break()
	// Free gives the connection up, or the stream: for other requests if keep is
	// set and the codec sees nothing against it, else it is closed. Views of
	// the answer stay valid until Release.
	Free(keep bool)
	// Release gives the buffers back. Called once, after Free.
	Release()
}

// Crosser is a Try that knows whether a kept connection has only just been closed by
// its target: the request of an ALB would have been on its way.
type Crosser interface{ Crossed() bool }

// Upstream is a codec's side towards targets.
type Upstream interface {
	// Keep returns the connections to a target, of which there are none yet.
	Keep(t *Target) Kept
}

// Kept are the connections that a codec keeps to one target. It is safe for
// concurrent use. New connections come from Target.Dial.
type Kept interface {
	// Open begins a try over a kept connection that looks alive, or over a new one;
	// over a new one in any case if fresh is set.
	Open(ctx context.Context, fresh bool) (Try, error)
	// CloseIdle closes the connections that are not in use, and those in use when
	// their requests have ended.
	CloseIdle()
	// Close is CloseIdle for good: later tries work, but nothing is kept.
	Close()
	// Break has the tries under way fail at once.
	Break()
	// Prune closes connections that have been idle too long or that the target has
	// closed.
	Prune(now time.Time)
}
