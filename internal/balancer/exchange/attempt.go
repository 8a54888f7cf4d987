package exchange

import (
	"context"
	"errors"
	"net"
	"time"

	"neargate/internal/decide/routing"
)

// attempt sends the request to one target and passes its answer on. It reports
// true if another try is due.
func (f *Flow) attempt(g Group) bool {
	lease, err := g.Claim(&f.Request)
	f.endClaim()
	if err != nil {
		f.refuseClaim(err)
		return false
	}
	f.lease, f.outcome = lease, Outcome{}
	f.sum.Tries++
	t := lease.Target()
	f.sum.Target = t
	if f.late && t == f.Request.failed { // there is no other
		f.settle(ConnectTimeout, false)
		f.fail(ConnectTimeout, nil)
		return false
	}
	if f.gone.Load() {
		f.settle(ClientGone, false)
		f.leave()
		return false
	}
	failure := f.ask(t)
	switch {
	case failure == OK && f.unavailable():
		f.outcome.Retry = true
		f.settle(OK, false)
		f.passOver(t)
		return true
	case failure == OK:
		f.relay()
		return false
	}
	f.stopUpload()
	fault := f.up.fault
	f.outcome.Retry = f.mayRetry(t, failure)
	spared := f.spared(failure)
	f.settle(failure, false)
	if f.outcome.Retry {
		f.Request.Spare(spared)
		f.late = failure == ConnectTimeout
		f.passOver(t)
		return true
	}
	f.fail(failure, fault)
	return false
}

// passOver counts a target that failed.
func (f *Flow) passOver(t *Target) {
	f.Request.attempt++
	f.Request.failed = t
}

// unavailable reports whether another target is to be asked, as this one answered
// that it is not available.
func (f *Flow) unavailable() bool {
	return f.set.RetryUnavailable && f.head.Status == 503 && f.replay && f.Request.attempt+1 < f.set.Attempts
}

// mayRetry reports whether another target may be asked after a failure. One
// that was not reached cannot have seen the request; one that broke may have,
// so only what may be repeated is, and once.
func (f *Flow) mayRetry(t *Target, failure Failure) bool {
	if f.set.Strict || f.Request.attempt+1 >= f.set.Attempts {
		return false
	}
	switch failure {
	case ConnectRefused:
		return true
	case ConnectTimeout:
		// Ten seconds are AWS's wait for a connection; another target may be
		// better off, but nobody waits for a third.
		return !f.late
	case Broken:
		return f.replay && f.Request.attempt == 0 && !t.cut.Load()
	default:
		return false
	}
}

// spared is what another try is after a failure.
func (f *Flow) spared(failure Failure) routing.Kindness {
	switch {
	case failure == ConnectTimeout:
		return routing.UnreachedElsewhere
	case failure == Broken:
		return routing.BrokenElsewhere
	case failure == ConnectRefused && f.try == nil: // else it was reached, but did not look
		return routing.RefusedElsewhere
	}
	return routing.NoKindness
}

// crossed notes that the target has closed a kept connection as the request came; with
// Strict it fails as if it had been sent there.
func (f *Flow) crossed(try Try) Failure {
	if try.Reused() {
		return OK
	}
	switch c, ok := try.(Crosser); {
	case !ok || !c.Crossed():
		return OK
	case f.set.Strict:
		return Broken
	}
	f.Request.Spare(routing.StaleConnection)
	return OK
}

// ask sends the request and reads the head of the final answer. A kept
// connection that turns out to be dead is replaced by a new one.
func (f *Flow) ask(t *Target) Failure {
	for fresh := false; ; fresh = true {
		if failure := f.open(t, fresh); failure != OK {
			return failure
		}
		failure, err := f.send(t)
		unseen := errors.Is(err, ErrUnprocessed) && f.whole
		stale := failure == Broken && f.replay && f.stale()
		switch {
		case !stale && !unseen, t.cut.Load(), f.set.Strict:
			return failure
		case fresh && unseen:
			return ConnectRefused // as good as not reached
		case fresh:
			return failure
		}
		if stale {
			f.Request.Spare(routing.StaleConnection)
		}
		f.drop()
	}
}

// stale reports whether the try was on a kept connection of which nothing came.
func (f *Flow) stale() bool {
	got, _ := f.try.Counts()
	return got == 0 && f.try.Reused()
}

// drop gives a try up that came to nothing.
func (f *Flow) drop() {
	t := f.try
	f.use(nil)
	t.Free(false)
	t.Release()
}

// open begins a try at t.
func (f *Flow) open(t *Target, fresh bool) Failure {
	try, err := t.kept.Open(f.ctx, fresh)
	if err == nil {
		f.use(try)
		return f.crossed(try)
	}
	var ne net.Error
	switch {
	case f.ended():
		return Ended
	case errors.Is(err, errNoRoom):
		return NoRoom
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		return ConnectTimeout
	}
	return ConnectRefused
}

// send sends the request by the try in use and reads the answer's head.
func (f *Flow) send(t *Target) (Failure, error) {
	f.outcome.Reused = f.try.Reused()
	if f.Request.Chunks {
		if err := f.reform(t); err != nil {
			f.up.fault = bodyFault(err)
			return BadBody, err
		}
	}
	f.fwd.Scheme = t.Scheme()
	err := f.try.Send(&f.fwd, f.body, f.whole)
	if errors.Is(err, ErrIdle) {
		return Timeout, err
	}
	f.outcome.Sent = time.Now()
	f.sum.Dispatched = f.outcome.Sent
	if err == nil && !f.whole {
		f.startUpload()
	}
	// A target that would not take all may have answered before it closed.
	failure, err := f.readHead()
	if failure == OK {
		f.sum.Answered = time.Now()
		f.outcome.ResponseTime = f.sum.Answered.Sub(f.outcome.Sent)
		f.outcome.Status = f.head.Status
	}
	return failure, err
}

// reform has a chunked body in the form that a target takes.
func (f *Flow) reform(t *Target) error {
	f.fwd.Form = Payload
	if t.Protocol() == HTTP1 {
		f.fwd.Form = Chunks
	}
	return f.measure(f.fwd.Form)
}

// MaxInterim is how many interim heads an answer may have.
const MaxInterim = 32

// readHead reads heads until the final one.
func (f *Flow) readHead() (Failure, error) {
	began := f.outcome.Sent
	for n := 0; ; n++ {
		if failure, err := f.awaitHead(began); failure != OK {
			return failure, err
		}
		switch h := &f.head; {
		case h.Status >= 200:
			return OK, nil
		case h.Status == 101 && f.Request.Upgrade:
			return OK, nil
		case h.Status == 101, n == MaxInterim:
			return BadAnswer, ErrMalformed
		case h.Status != 100: // says nothing, so the wait goes on
			began = time.Now()
		}
		if failure := f.passInterim(); failure != OK {
			return failure, nil
		}
	}
}

// passInterim passes an interim head on to the client, unless it is 100, which was said
// already, or the client has had those of another target. Heads may follow each other
// without a pause, so the client is looked for here as in a pause.
func (f *Flow) passInterim() Failure {
	if f.head.Status != 100 && (f.hinted == 0 || f.hinted == f.sum.Tries) {
		f.hinted = f.sum.Tries
		if err := f.client.Interim(&f.head); err != nil {
			return ClientGone
		}
	}
	f.watch()
	return f.stopped()
}

// settle ends the lease. The target's connection is kept for other requests if
// keep is set and nothing speaks against it. Views of the answer are valid until
// the next request.
func (f *Flow) settle(failure Failure, keep bool) {
	if t := f.try; t != nil {
		f.free(t, keep)
		t.Release()
	}
	f.endLease(failure)
}

// free gives the connection of a try up, whose answer is still to be passed on.
func (f *Flow) free(t Try, keep bool) {
	f.outcome.In, f.outcome.Out = t.Counts()
	f.use(nil)
	t.Free(keep)
}

func (f *Flow) endLease(failure Failure) {
	f.outcome.Failure = failure
	lease := f.lease
	f.lease = nil
	lease.Done(&f.Request, &f.outcome)
}
