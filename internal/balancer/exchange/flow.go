package exchange

import (
	"context"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Flow is the way of one request after another through the balancer: a codec has
// one for each HTTP/1 connection or HTTP/2 stream, and reuses it. The codec fills
// Request and calls Serve, or Refuse for what is malformed. Init comes first.
type Flow struct {
	Request Request

	proxy  *Proxy
	client Client
	set    *Settings // in force for this request

	gone   atomic.Bool // the client has left
	killed atomic.Bool // the server ends hard
	claim  claimWait

	mu  sync.Mutex
	try Try // in use; guarded by mu for Gone and Kill, written by the owner only
}

// claimWait is the context of a Claim that waits.
type claimWait struct {
	mu     sync.Mutex
	ctx    context.Context // nil: nobody asked for one; guarded by mu
	cancel context.CancelCauseFunc
}

// Init sets what stays the same for all requests of a flow.
func (f *Flow) Init(p *Proxy, c Client, conn *Conn) {
	f.proxy, f.client = p, c
	f.Request = Request{flow: f, Conn: conn}
}

// Settings returns the settings in force for the request; the proxy's until it is
// routed. Read only.
func (f *Flow) Settings() *Settings { return f.set }

// Begin forgets the last request but keeps what can be reused, and takes the
// proxy's settings: called before a head is read.
func (f *Flow) Begin() {
	r := &f.Request
	*r = Request{flow: f, Conn: r.Conn, Fields: r.Fields[:0], trace: r.trace[:0], extra: r.extra[:0]}
	f.set = f.proxy.Current()
}

// Serve takes the request to its end. It reports whether the connection is fit for
// another one: the client's body was taken entirely, its answer is whole, and no
// mode of desync mitigation wants it closed.
func (f *Flow) Serve(ctx context.Context) (keep bool) { panic("not written yet") }

// Refuse answers a request that is malformed or came too slowly. The connection
// must end: what follows cannot be told apart.
func (f *Flow) Refuse(e *Fault) { panic("not written yet") }

// Gone notes that the client has left. It may be called from any goroutine, any
// number of times, between Serve's beginning and its end.
func (f *Flow) Gone() { panic("not written yet") }

// Kill ends the request under way at once, for a server that ends hard. It may be
// called from any goroutine at any time.
func (f *Flow) Kill() { panic("not written yet") }

func (f *Flow) claimContext() context.Context { panic("not written yet") }

// view is p as a string, without copying.
func view(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }
