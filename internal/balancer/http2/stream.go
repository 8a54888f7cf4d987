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

// Wake implements exchange.Body.
func (st *stream) Wake() {
	st.s.mu.Lock()
	st.woken = true
	st.s.mu.Unlock()
	st.read.signal()
	st.write.signal()
}

// Counts implements exchange.Client and exchange.Try.
func (st *stream) Counts() (received, sent int64) {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	return st.received, st.sentOctets
}
