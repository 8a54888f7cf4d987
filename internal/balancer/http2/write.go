package http2

import (
	"runtime"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/http2/hpack"
)

// transmit sends a header block, if there is one, and p; end reports that the
// stream has no more. It waits for the peer to take it, limit at most without
// progress. What it has queued is sent at once.
func (st *stream) transmit(block, p []byte, end bool, limit time.Duration) error {
	s := st.s
	s.mu.Lock()
	s.limit = limit
	for {
		before, room := len(p), len(s.out) < maxOut
		if err := st.readyLocked(room && block != nil); err != nil {
			s.mu.Unlock()
			return err
		}
		if room {
			if block != nil {
				st.queueBlockLocked(block, end && len(p) == 0)
				block, before = nil, -1
			}
			p = st.queueLocked(p, end)
		}
		if block == nil && len(p) == 0 && (!end || st.finished) {
			break
		}
		if err := st.awaitSpaceLocked(before != len(p), limit); err != nil {
			s.mu.Unlock()
			return err
		}
	}
	several := s.open > 1
	s.mu.Unlock()
	if several {
		// Other requests that are about to be answered are so in the same write: with 10
		// at a time a sixth of the writes are saved, with 50 a quarter.
		runtime.Gosched()
	}
	s.send()
	return nil
}

// readyLocked returns why nothing can be sent on the stream any more; first has it
// begin if it has not.
func (st *stream) readyLocked(first bool) error {
	switch {
	case st.err != nil:
		return st.err
	case st.id != 0:
		return nil
	case st.s.err != nil:
		return st.s.err
	case first:
		return st.owner.startLocked()
	}
	return nil
}

// queueBlockLocked puts a header block among what is to be sent.
func (st *stream) queueBlockLocked(block []byte, end bool) {
	s := st.s
	if s.resize {
		s.resize = false
		block = append(hpack.AppendEmptyTable(nil), block...)
	}
	frames := 1 + len(block)/maxFrame
	s.out = s.pools.grow(s.out, frames*headerLen+len(block)+1)
	s.out = appendBlock(s.out, st.id, block, end)
	st.sentOctets += int64(frames*headerLen + len(block))
	if end {
		st.finishLocked()
	}
}

// queueLocked puts as much of p among what is to be sent as there is space for,
// and returns the rest.
func (st *stream) queueLocked(p []byte, end bool) (rest []byte) {
	s := st.s
	for {
		n := min(len(p), maxFrame, st.space, s.space)
		if n < len(p) && n <= 0 || len(p) == 0 && (!end || st.finished) || len(s.out) >= maxOut {
			return p
		}
		n = max(n, 0)
		last := end && n == len(p)
		h := frameHeader{length: n, kind: dataFrame, stream: st.id}
		if last {
			h.flags = flagEndStream
		}
		s.out = s.pools.grow(s.out, headerLen+n)
		s.out = append(appendFrameHeader(s.out, h), p[:n]...)
		st.sentOctets += int64(headerLen + n)
		st.space -= n
		s.space -= n
		s.paid = min(s.paid+paidByData, credit)
		p = p[n:]
		if last {
			st.finishLocked()
		}
	}
}

// finishLocked notes that we have sent all.
func (st *stream) finishLocked() {
	st.finished = true
	if st.ended {
		st.closeLocked()
	}
}

// awaitSpaceLocked waits until more may be sent.
func (st *stream) awaitSpaceLocked(progress bool, limit time.Duration) error {
	s := st.s
	st.waiting = true
	s.waiting++
	if st.id == 0 {
		s.unborn = append(s.unborn, st)
	}
	s.mu.Unlock()
	s.send()
	now := time.Now()
	if progress || st.stuck.IsZero() {
		st.stuck = now
	}
	ok := st.write.wait(limit - now.Sub(st.stuck))
	s.mu.Lock()
	st.waiting = false
	s.waiting--
	switch {
	case !ok:
		st.stuck = time.Time{}
		return exchange.ErrIdle
	case st.woken && st.owner != nil: // left to the wait for the head, which asks why
		return exchange.ErrWoken
	}
	return nil
}

func (s *session) wakeWritersLocked() {
	for _, st := range s.streams {
		if st.waiting {
			st.write.signal()
		}
	}
	for _, st := range s.unborn {
		st.write.signal()
	}
	clear(s.unborn)
	s.unborn = s.unborn[:0]
}

// sendRounds is how often who sends for others too looks for more, before that
// becomes work of its own.
const sendRounds = 3

// send sends what there is to be sent, unless somebody is at it, who then sends
// this too. A write that fails ends the session by way of its reader.
func (s *session) send() {
	s.mu.Lock()
	for round := 0; !s.sending && len(s.out) > 0 && !s.mute; round++ {
		if round == sendRounds {
			s.tasks.Go(s.send)
			break
		}
		p := s.out
		s.out, s.spare, s.sending = s.spare, nil, true
		limit := s.limit
		s.mu.Unlock()
		err := s.write(p, limit)
		s.mu.Lock()
		s.sending = false
		if cap(p) <= middleBuffer && s.spare == nil && s.open > 0 {
			s.spare = p[:0]
		} else {
			s.pools.put(p)
		}
		if err != nil {
			s.mute = true
			_ = s.nc.Close()
		}
		if s.waiting > 0 {
			s.wakeWritersLocked()
		}
	}
	if s.open == 0 && len(s.out) == 0 && !s.sending {
		s.pools.put(s.out)
		s.pools.put(s.spare)
		s.out, s.spare = nil, nil
	}
	s.sent.Broadcast()
	s.mu.Unlock()
}

// write sends p. It is called by one goroutine at a time.
func (s *session) write(p []byte, limit time.Duration) error {
	now := time.Now()
	if by := now.Add(limit); s.writeBy.Before(by.Add(-limit/2)) || s.writeBy.After(by) {
		if err := s.nc.SetWriteDeadline(by); err != nil {
			return err
		}
		s.writeBy = by
	}
	_, err := s.nc.Write(p)
	return err
}

// makeRoom has the reader wait while too much is to be sent: a peer that does not
// read is not read from.
func (s *session) makeRoom() error {
	s.mu.Lock()
	full := len(s.out) > 2*maxOut
	s.mu.Unlock()
	if !full {
		return nil
	}
	s.send()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.sending && len(s.out) > 2*maxOut {
		s.sent.Wait()
	}
	return nil
}
