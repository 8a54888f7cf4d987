package exchange

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// maxWhole is how large a body of known length may be to be read entirely
// before a target is asked for: it then holds no target up, goes out in one
// write, and can be sent again.
const maxWhole = 16 << 10

// measure finds what has come of the body.
func (f *Flow) measure(form Form) (err error) {
	f.body, f.whole, err = f.client.Buffered(form)
	return err
}

// collect invites the body if the client waits for that, and reads a small one
// entirely. It reports false if the client failed, who was then answered.
func (f *Flow) collect() bool {
	r := &f.Request
	if f.whole {
		return true
	}
	if r.Expects && len(f.body) == 0 {
		// At once, whatever the length; the target is not asked
		// (how-elastic-load-balancing-works, "HTTP headers").
		if err := f.client.Continue(); err != nil {
			f.leave()
			return false
		}
	}
	if r.Length == Unknown || r.Length > maxWhole {
		return true
	}
	err := f.client.Collect(f.set.IdleTimeout)
	if err == nil {
		err = f.measure(Payload)
	}
	if err != nil {
		f.failBody(err)
		return false
	}
	return true
}

// upload passes the rest of a request's body on to the target while the answer
// is awaited. It runs in a goroutine of its own, which owns the client's
// reading side and the target's writing side until it has ended.
type upload struct {
	running bool
	tunnel  bool          // until both have ended, however long
	ended   chan struct{} // of capacity 1, made once

	lingers atomic.Bool  // somebody waits for its end at the target
	over    atomic.Bool  // it has ended
	failed  atomic.Bool  // set by it, to end the wait for the answer
	active  atomic.Int64 // when bytes moved last, in Unix nanoseconds
	failure Failure      // why it failed; set before failed
	fault   *Fault       // what the client gets
	whole   bool         // it has passed the body on to its end
}

func (u *upload) note() { u.active.Store(time.Now().UnixNano()) }

// startUpload begins to pass on what is not buffered.
func (f *Flow) startUpload() {
	u := &f.up
	if u.ended == nil {
		u.ended = make(chan struct{}, 1)
	}
	u.lingers.Store(false)
	u.over.Store(false)
	u.failed.Store(false)
	u.failure, u.fault, u.whole = OK, nil, false
	u.note()
	u.running = true
	go f.upload(f.try)
}

func (f *Flow) upload(t Try) {
	u := &f.up
	defer func() {
		if p := recover(); p != nil { // ends this request only
			f.proxy.Log.Error("upload panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			u.failure = Ended
		}
		u.over.Store(true)
		if u.failure != OK {
			u.failed.Store(true)
			t.Wake()
		} else if u.lingers.Load() {
			t.Wake()
		}
		u.ended <- struct{}{}
	}()
	u.failure, u.fault = f.pump(t)
}

// pump moves the body until its end. If the target takes no more it just ends:
// the answer, or its absence, tells why.
func (f *Flow) pump(t Try) (Failure, *Fault) {
	u := &f.up
	for {
		p, done, err := f.client.Next(f.set.IdleTimeout)
		if err != nil {
			if u.tunnel && errors.Is(err, ErrIdle) && time.Since(time.Unix(0, u.active.Load())) < f.set.IdleTimeout {
				continue
			}
			return f.uploadFailure(err)
		}
		u.note()
		trailers := f.requestTrailers(done)
		if len(p) > 0 || done {
			err = t.Write(p, done && trailers == nil)
		}
		if err == nil && trailers != nil {
			err = t.WriteTrailers(trailers)
		}
		switch {
		case errors.Is(err, ErrIdle):
			return Timeout, nil
		case err != nil:
			return OK, nil //nolint:nilerr // the answer, or its absence, tells why
		}
		u.note()
		if done {
			u.whole = true
			return OK, nil
		}
	}
}

// uploadFailure is what the end of a client's body means that came too early.
func (f *Flow) uploadFailure(err error) (Failure, *Fault) {
	if errors.Is(err, ErrWoken) {
		return OK, nil
	}
	fault := bodyFault(err)
	if errors.Is(err, ErrIdle) || !errors.As(err, new(*Fault)) {
		return ClientGone, fault
	}
	return BadBody, fault
}

// requestTrailers returns what came behind the request's body.
func (f *Flow) requestTrailers(done bool) []Field {
	if !done || f.up.tunnel || f.fwd.Form == Chunks {
		return nil
	}
	if t := f.client.Trailers(); len(t) > 0 {
		return t
	}
	return nil
}

// finishUpload waits, after the end of the answer, until the body was passed on,
// or the target takes no more of it.
func (f *Flow) finishUpload() {
	u := &f.up
	if !u.running {
		return
	}
	u.lingers.Store(true)
	for !u.over.Load() {
		err := f.try.Linger(f.set.IdleTimeout)
		idle := time.Since(time.Unix(0, u.active.Load())) >= f.set.IdleTimeout
		if err == nil || f.gone.Load() || f.ended() || idle || !errors.Is(err, ErrWoken) && !errors.Is(err, ErrIdle) {
			break
		}
	}
	f.stopUpload()
}

// awaitUpload waits for the other direction of a tunnel.
func (f *Flow) awaitUpload() {
	<-f.up.ended
	f.uploaded()
}

// stopUpload ends the upload, if there is one. What was not passed on by then
// makes both connections useless for more.
func (f *Flow) stopUpload() {
	u := &f.up
	if !u.running {
		return
	}
	if !u.over.Load() {
		f.client.Wake()
		f.try.Break()
	}
	<-u.ended
	f.uploaded()
}

// uploaded notes what has come of the upload.
func (f *Flow) uploaded() {
	f.up.running = false
	f.whole = f.up.whole && !f.up.tunnel
}
