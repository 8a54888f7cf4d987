package http2

import (
	"time"

	"neargate/internal/balancer/exchange"
)

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

// Trailers implements exchange.Body.
func (st *stream) Trailers() []exchange.Field { return st.trailers.fields }
