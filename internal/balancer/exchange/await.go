package exchange

import (
	"errors"
	"time"
)

// slice is how long a target may be silent before it is asked for whether the
// client is still there.
const slice = time.Second

// wait is a wait for bytes of a target: for the idle timeout at most, and no
// longer than the request may take.
type wait struct {
	f     *Flow
	began time.Time
}

// next returns how long to wait at once; a failure if there is no time left.
func (w *wait) next() (time.Duration, Failure) {
	f := w.f
	limit := min(slice, f.set.IdleTimeout)
	if f.set.RequestTimeout > 0 && !f.up.running {
		left := f.set.RequestTimeout - time.Since(f.outcome.Sent)
		if left <= 0 {
			return 0, Timeout
		}
		limit = min(limit, left)
	}
	return limit, OK
}

// over judges the error that a wait ended with; again if it is to be repeated.
// Before an answer a connection that breaks is Broken.
func (w *wait) over(err error) (failure Failure, again bool) {
	f := w.f
	if failure := f.stopped(); failure != OK {
		return failure, false
	}
	switch {
	case errors.Is(err, ErrWoken):
		return OK, true
	case errors.Is(err, ErrMalformed):
		return BadAnswer, false
	case !errors.Is(err, ErrIdle):
		return Broken, false
	case time.Since(w.moved()) >= f.set.IdleTimeout:
		return Timeout, false
	}
	f.watch()
	return OK, true
}

// stopped returns why the target's answer is not awaited any longer; OK if it is.
func (f *Flow) stopped() Failure {
	switch {
	case f.ended():
		return Ended
	case f.up.running && f.up.failed.Load():
		return f.up.failure
	case f.gone.Load():
		return ClientGone
	}
	return OK
}

// watch has the client watched, which the upload does while it runs.
func (f *Flow) watch() {
	if !f.up.running {
		f.client.Watch()
	}
}

// moved returns when something moved on the target's connection.
func (w *wait) moved() time.Time {
	if w.f.up.running {
		if at := time.Unix(0, w.f.up.active.Load()); at.After(w.began) {
			return at
		}
	}
	return w.began
}

// awaitHead waits for a head of the answer, since a time.
func (f *Flow) awaitHead(began time.Time) (Failure, error) {
	w := wait{f, began}
	for {
		limit, failure := w.next()
		if failure != OK {
			return failure, ErrIdle
		}
		err := f.try.Head(&f.head, limit)
		if err == nil {
			return OK, nil
		}
		if failure, again := w.over(err); !again {
			return failure, err
		}
	}
}

// awaitBody waits for more of the answer's body.
func (f *Flow) awaitBody() (p []byte, done bool, _ Failure) {
	w := wait{f, time.Now()}
	for {
		limit, failure := w.next()
		if failure != OK {
			return nil, false, truncated(failure)
		}
		p, done, err := f.try.Next(limit)
		if err == nil {
			return p, done, OK
		}
		if failure, again := w.over(err); !again {
			return nil, false, truncated(failure)
		}
	}
}

// truncated is what a failure means within an answer.
func truncated(f Failure) Failure {
	switch f {
	case ClientGone, BadBody, Ended:
		return f
	default:
		return Truncated
	}
}
