package exchange

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Flow is the way of one request through the balancer. A codec takes one for each
// request, and may use it again for another: it calls Begin, fills Request, and
// calls Serve, or Refuse for what is malformed.
type Flow struct {
	Request Request

	proxy   *Proxy
	client  Client
	ctx     context.Context // of Serve; kept for Request.Context, which is called from outside
	set     *Settings       // in force for this request
	rewrite *Rewrite
	edits   *Edits

	fwd    Forward // what the target gets
	head   Head    // what the client gets
	text   text    // values in them
	body   []byte  // of the request, as far as it has come
	whole  bool    // that is all of it
	replay bool    // it can be sent again though a target may have seen it
	keep   bool    // the client's connection may take another request
	hinted int     // the try of which the client got interim answers; 0 is none
	late   bool    // the last try found no connection in time

	lease   Lease // held and not yet done
	outcome Outcome
	sum     Summary
	up      upload

	gone   atomic.Bool // the client has left
	killed atomic.Bool // the server ends hard

	mu     sync.Mutex
	try    Try                     // in use; guarded by mu for Gone and Kill, written by the owner only
	waited context.CancelCauseFunc // ends the context of a Claim that waits; guarded by mu
	waits  context.Context         // that context; nil: nobody asked for one
}

// Begin forgets the last request but keeps what can be reused. The settings are
// the proxy's until the request is routed.
func (f *Flow) Begin(p *Proxy, c Client, conn *Conn) {
	r := &f.Request
	*r = Request{flow: f, Conn: conn, Fields: r.Fields[:0], trace: r.trace[:0], extra: r.extra[:0]}
	f.proxy, f.client, f.set = p, c, p.Current()
	f.rewrite, f.edits = nil, nil
	f.text.reset()
	f.body, f.whole, f.replay, f.late, f.hinted = nil, false, false, false, 0
	f.keep = true
	f.sum, f.outcome, f.up.fault = Summary{}, Outcome{}, nil
	f.gone.Store(false)
	f.killed.Store(false)
}

// Settings returns the settings in force for the request. Read only.
func (f *Flow) Settings() *Settings { return f.set }

// Serve takes the request to its end. It reports whether the client's connection is
// fit for another one: its body was taken entirely, its answer is whole, and no
// mode of desync mitigation wants it closed. A panic of the Router or of a Lease
// ends this request only.
func (f *Flow) Serve(ctx context.Context) (keep bool) {
	f.ctx = ctx
	defer func() {
		if p := recover(); p != nil {
			f.proxy.Log.Error("request panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			f.abandon()
			keep = false
		}
		f.ctx = nil
	}()
	f.Request.setTrace()
	f.handle(f.proxy.Router.Route(&f.Request))
	f.finish()
	return f.keep && f.whole
}

// Refuse answers a request that is malformed or came too slowly, and tells of it.
// The connection must end: what follows cannot be told apart.
func (f *Flow) Refuse(e *Fault) {
	f.Request.Blame(e.Class, e.Reason)
	f.refuse(e)
	f.finish()
}

// handle does what the Router has decided.
func (f *Flow) handle(v Verdict) {
	r := &f.Request
	if v.Settings != nil {
		f.set = v.Settings
	}
	f.rewrite, f.edits = v.Rewrite, v.Edits
	if r.Class == Ambiguous && f.set.Desync != Monitor {
		f.keep = false
	}
	err := f.measure(f.form())
	switch {
	case v.Drop:
		f.keep, f.sum.Reason = false, "Dropped"
		f.client.Abort(true)
	case err != nil:
		f.failBody(err)
	case r.Class >= Acceptable && f.set.Desync == Strictest:
		f.refuse(errStrict)
	case v.Later != nil:
		f.handleLater(v.Later)
	default:
		f.act(v)
	}
}

// handleLater waits for what the Router decides.
func (f *Flow) handleLater(d Decider) {
	v := d.Decide(&f.Request)
	f.endClaim()
	f.rewrite, f.edits = v.Rewrite, v.Edits
	switch {
	case f.gone.Load():
		f.leave()
	case f.ended():
		f.keep = false
	default:
		f.act(v)
	}
}

// act answers the request, or passes it on.
func (f *Flow) act(v Verdict) {
	switch {
	case v.Answer != nil:
		f.answer(v.Answer)
	case v.Group == nil:
		f.answer(&Answer{Status: 503, Reason: "NoTargets"})
	default:
		f.forward(v.Group)
	}
}

// errStrict is why Strictest refuses what the other modes let pass.
var errStrict = &Fault{400, "NonCompliant", Ambiguous}

// forward passes the request on to targets of g until one has answered.
func (f *Flow) forward(g Group) {
	if !f.collect() {
		return
	}
	f.replay = f.whole && f.Request.idempotent()
	f.compose()
	for f.attempt(g) {
	}
}

// form is how the request's body is passed on to a target that takes either.
func (f *Flow) form() Form {
	if f.Request.Chunks {
		return Chunks
	}
	return Payload
}

// finish tells of the request.
func (f *Flow) finish() {
	s := &f.sum
	s.Received, s.SentBytes = f.client.Counts()
	s.Finished = time.Now()
	s.Class, s.ClassReason, s.Rewrite = f.Request.Class, f.Request.ClassReason, f.rewrite
	if f.set.DropInvalid {
		s.DroppedBad = f.Request.Invalid
	}
	s.Spared = f.Request.spared.Counts(s.TargetStatus != 0 && !s.Own)
	f.proxy.Observer.Finished(&f.Request, s)
}

// abandon gives everything up that a request holds.
func (f *Flow) abandon() {
	f.keep = false
	f.endClaim()
	f.stopUpload()
	if f.lease != nil {
		f.settle(Ended, false)
	}
	f.client.Abort(false)
}

// leave notes that the client has gone, as 460 if it got nothing.
func (f *Flow) leave() {
	f.keep = false
	if f.sum.Status == 0 {
		f.sum.Status = 460
	}
	f.sum.Reason = ClientGone.String()
}

// failBody ends a request whose body did not come.
func (f *Flow) failBody(err error) {
	f.refuse(bodyFault(err))
}

// bodyFault is what a client gets whose body could not be read.
func bodyFault(err error) *Fault {
	if fault, ok := errors.AsType[*Fault](err); ok {
		return fault
	}
	if errors.Is(err, ErrIdle) {
		return errSilent
	}
	return errBrokenBody
}

// What a client can be refused for within its body.
var (
	errSilent     = &Fault{408, "RequestTimeout", Compliant}
	errBrokenBody = &Fault{400, "BodyBrokenOff", Compliant}
)
