package http2

import (
	"errors"
	"sync"
	"time"

	"neargate/internal/balancer/exchange"
)

// stream is what requests to us and requests to targets have in common. The
// session's mutex guards everything but what the methods' callers own: one may
// read and another write.
type stream struct {
	s     *session
	id    uint32
	owner *try // whose it is; nil of a client's request

	space      int       // what the peer takes
	owed       int       // octets that it may still send
	err        error     // why the stream has ended early
	ourReset   bool      // it ended by our reset
	ended      bool      // the peer has sent all
	finished   bool      // we have sent all
	counted    bool      // it is one of session.open
	woken      bool      // a Wake has not been noticed yet
	waiting    bool      // it is one of session.waiting
	stuck      time.Time // since when it waits for space; of the writer
	body       []byte    // what has come and was not consumed: body[from:]
	old        []byte    // was body, and may be looked at
	from       int
	taken      int   // how far body was handed out
	left       int64 // octets of Content-Length that have not come; below 0 if there is none
	spoilt     error // what is wrong with the body
	badLength  error // what is, if it is not as long as Content-Length says
	share      int   // octets of it that we hold at most
	trailers   block
	received   int64 // octets of frames
	sentOctets int64

	read, write waiter
	enc         []byte // of the writer: the block that goes out next

	gone    sync.Mutex // held while the request is told of something
	serving bool       // there is a request; guarded by gone
	tell    func()     // tells it that the peer has gone; may be nil
	end     func()     // ends it at once; may be nil
}

// resetError is the end of a stream by the peer.
type resetError errorCode

// Error returns the peer's code.
func (e resetError) Error() string {
	if errorCode(e) == refusedStream {
		return "http2: stream refused"
	}
	return "http2: stream reset by the peer"
}

// Is has a refused stream count as not processed.
func (e resetError) Is(target error) bool {
	return target == exchange.ErrUnprocessed && errorCode(e) == refusedStream
}

var (
	errBrokenOff = errors.New("http2: stream given up")
	errLength    = &exchange.Fault{Status: 400, Reason: "BadContentLength", Class: exchange.Severe}
)

func (st *stream) make() { st.read, st.write = newWaiter(), newWaiter() }

// beginLocked makes the stream one of its session's.
func (st *stream) beginLocked(id uint32, space int) {
	s := st.s
	st.id = id
	st.space, st.owed = s.initial, space
	st.err, st.spoilt, st.ourReset = nil, nil, false
	st.ended, st.finished, st.waiting = false, false, false
	st.from, st.taken, st.left, st.share = 0, 0, exchange.Unknown, space
	st.received, st.sentOctets = 0, 0
	st.counted = true
	s.open++
	s.streams[id] = st
}

// endLocked ends the stream at once; the first error counts.
func (st *stream) endLocked(err error) {
	if st.err == nil {
		st.err = err
	}
	st.closeLocked()
	st.read.signal()
	st.write.signal()
}

// closeLocked takes the stream out of those that are open by the protocol.
func (st *stream) closeLocked() {
	if st.counted {
		st.counted = false
		st.s.open--
	}
}

// resetLocked sends the peer the stream's end, once.
func (st *stream) resetLocked(code errorCode) {
	if !st.ourReset {
		st.ourReset = true
		st.s.out = appendReset(st.s.out, st.id, code)
	}
	st.closeLocked()
}

// refuseLocked resets the stream for a fault of the peer's.
func (st *stream) refuseLocked(code errorCode) {
	st.resetLocked(code)
	st.endLocked(&connError{code, "stream reset"})
	st.s.departed = append(st.s.departed, departed{st.s, st, st.id})
}

// detachLocked takes the stream off the session. What of its body nobody took is
// granted to others.
func (st *stream) detachLocked() {
	s := st.s
	st.closeLocked()
	delete(s.streams, st.id)
	s.noteClosedLocked(st.id, st.ourReset)
	s.grantLocked(len(st.body) - st.from)
}

// release gives the buffers back. No view of them is left.
func (st *stream) release(pools *buffers) {
	pools.put(st.body)
	pools.put(st.old)
	st.body, st.old = nil, nil
	st.trailers.release(pools)
}

// departed is a stream that ended, by the session and the identifier that it had
// then: it may serve another client since.
type departed struct {
	s  *session
	st *stream
	id uint32
}

// tellGone tells the request that the peer has gone, if it is still about the same
// stream.
func (d departed) tellGone() { d.call(d.st.tell) }

// kill ends the request at once.
func (d departed) kill() { d.call(d.st.end) }

func (d departed) call(f func()) {
	d.st.gone.Lock()
	defer d.st.gone.Unlock()
	if d.st.serving && d.st.s == d.s && d.st.id == d.id && f != nil {
		f()
	}
}

// dataLocked takes a part of the body that has come, and octets of padding.
func (st *stream) dataLocked(h *frameHeader, p []byte, padding int) error {
	st.received += int64(headerLen + h.length)
	if st.owed -= len(p) + padding; st.owed < 0 {
		st.s.grantLocked(len(p))
		st.refuseLocked(flowControlError)
		return nil
	}
	st.owed += padding
	if st.left >= 0 {
		if st.left -= int64(len(p)); st.left < 0 || st.left > 0 && h.has(flagEndStream) {
			st.s.grantLocked(len(p))
			st.spoilLocked(st.badLength)
			return nil
		}
	}
	st.holdLocked(p)
	if h.has(flagEndStream) {
		st.ended = true
		if st.finished {
			st.closeLocked()
		}
	}
	st.read.signal()
	return nil
}

// spoilLocked ends the body by a fault. The stream lives on for an answer.
func (st *stream) spoilLocked(err error) {
	st.ended, st.spoilt = true, err
	st.read.signal()
}

// holdLocked keeps what has come. Views of the buffer stay valid: another one takes
// its place when it is full.
func (st *stream) holdLocked(p []byte) {
	if len(p) == 0 {
		return
	}
	pools := st.s.pools
	if st.from == len(st.body) && st.taken == st.from {
		st.body, st.from, st.taken = st.body[:0], 0, 0
	}
	if cap(st.body)-len(st.body) < len(p) {
		next := append(pools.get(len(st.body)-st.from+len(p)), st.body[st.from:]...)
		if st.old == nil {
			st.old = st.body
		}
		st.body, st.taken, st.from = next, st.taken-st.from, 0
	}
	st.body = append(st.body, p...)
}

// grantLocked gives the peer back what was taken in for good, once it is worth
// a frame.
func (s *session) grantLocked(n int) {
	if s.unused += n; s.unused >= connSpace/2 {
		s.out = appendWindow(s.out, 0, s.unused)
		s.owed += s.unused
		s.unused = 0
	}
}

// consumeLocked takes what was handed out off the body.
func (st *stream) consumeLocked() {
	n := st.taken - st.from
	if n == 0 {
		return
	}
	st.from = st.taken
	st.s.grantLocked(n)
	if st.ended || st.err != nil {
		return
	}
	// The stream is granted what is free of its share, half of it at a time.
	held := len(st.body) - st.from
	if more := st.share - held - st.owed; more >= st.share/2 {
		st.owed += more
		st.s.out = appendWindow(st.s.out, st.id, more)
	}
	if st.old != nil { // no view of it is left
		st.s.pools.put(st.old)
		st.old = nil
	}
}

// bufferedLocked is what of the body was not consumed.
func (st *stream) bufferedLocked() (p []byte, whole bool, err error) {
	if st.spoilt != nil {
		return nil, false, st.spoilt
	}
	if st.err != nil && !st.ended {
		return nil, false, st.err
	}
	st.taken = len(st.body)
	return st.body[st.from:], st.ended, nil
}

// Buffered implements exchange.Body.
func (st *stream) Buffered(exchange.Form) (p []byte, whole bool, err error) {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	return st.bufferedLocked()
}

// Next implements exchange.Body.
func (st *stream) Next(limit time.Duration) (p []byte, done bool, err error) {
	s := st.s
	s.mu.Lock()
	st.consumeLocked()
	if len(s.out) > 0 && !s.sending {
		s.mu.Unlock()
		s.send()
		s.mu.Lock()
	}
	var until time.Time
	for {
		p, done, err = st.bufferedLocked()
		if err != nil || len(p) > 0 || done {
			s.mu.Unlock()
			return p, done, err
		}
		if err := st.awaitLocked(&until, limit); err != nil {
			s.mu.Unlock()
			return nil, false, err
		}
	}
}

// awaitLocked waits until something has come, or until; that is limit from now if
// it is zero.
func (st *stream) awaitLocked(until *time.Time, limit time.Duration) error {
	if st.woken {
		st.woken = false
		return exchange.ErrWoken
	}
	st.s.mu.Unlock()
	defer st.s.mu.Lock()
	if until.IsZero() {
		*until = time.Now().Add(limit)
	}
	if !st.read.wait(time.Until(*until)) {
		return exchange.ErrIdle
	}
	return nil
}

// Wake implements exchange.Body.
func (st *stream) Wake() {
	st.s.mu.Lock()
	st.woken = true
	st.s.mu.Unlock()
	st.read.signal()
	st.write.signal()
}

// Trailers implements exchange.Body.
func (st *stream) Trailers() []exchange.Field { return st.trailers.fields }

// Counts implements exchange.Client and exchange.Try.
func (st *stream) Counts() (received, sent int64) {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	return st.received, st.sentOctets
}
