package http2

import (
	"encoding/binary"
)

// frame takes one frame.
func (s *session) frame(h *frameHeader, p []byte) error {
	switch {
	case s.blockOf.stream != 0 && (h.kind != continuationFrame || h.stream != s.blockOf.stream):
		return &connError{protocolError, "frame within a header block"}
	case !s.settled && h.kind != settingsFrame:
		return &connError{protocolError, "first frame is not SETTINGS"}
	}
	switch h.kind {
	case dataFrame:
		return s.data(h, p)
	case headersFrame:
		return s.headers(h, p)
	case continuationFrame:
		return s.continuation(h, p)
	case priorityFrame:
		return s.priority(h, p)
	case resetFrame:
		return s.reset(h, p)
	case settingsFrame:
		return s.settings(h, p)
	case pushFrame:
		return &connError{protocolError, "PUSH_PROMISE was not allowed"}
	case pingFrame:
		return s.ping(h, p)
	case goAwayFrame:
		if h.stream != 0 || len(p) < 8 {
			return &connError{protocolError, "bad GOAWAY"}
		}
		s.side.goAway(binary.BigEndian.Uint32(p) &^ (1 << 31))
		return nil
	case windowFrame:
		return s.window(h, p)
	}
	return s.glitch() // of an extension that nobody agreed on
}

// headers takes HEADERS, and hands the block on if it is whole.
func (s *session) headers(h *frameHeader, p []byte) error {
	if h.stream == 0 {
		return &connError{protocolError, "HEADERS without a stream"}
	}
	p, err := unpad(h, p)
	if err != nil {
		return err
	}
	if h.has(flagPriority) {
		if len(p) < 5 {
			return &connError{frameSizeError, "HEADERS too short for its priority"}
		}
		if binary.BigEndian.Uint32(p)&^(1<<31) == h.stream {
			return &connError{protocolError, "stream depends on itself"}
		}
		p = p[5:]
	}
	if h.has(flagEndHeaders) {
		return s.side.head(h, p)
	}
	s.blockOf = *h
	s.block = append(s.pools.get(middleBuffer), p...)
	return nil
}

// continuation takes more of a header block.
func (s *session) continuation(h *frameHeader, p []byte) error {
	if s.blockOf.stream == 0 {
		return &connError{protocolError, "CONTINUATION without HEADERS"}
	}
	if len(s.block)+len(p) > maxBlock {
		return &connError{enhanceYourCalm, "header block too large"}
	}
	if err := s.glitch(); err != nil {
		return err
	}
	s.block = append(s.pools.grow(s.block, len(p)), p...)
	if !h.has(flagEndHeaders) {
		return nil
	}
	s.header, s.blockOf = s.blockOf, frameHeader{}
	err := s.side.head(&s.header, s.block)
	s.pools.put(s.block)
	s.block = nil
	return err
}

// priority looks at PRIORITY's form; what it asks for is obsolete (RFC 9113, 5.3.2).
func (s *session) priority(h *frameHeader, p []byte) error {
	switch {
	case h.stream == 0:
		return &connError{protocolError, "PRIORITY without a stream"}
	case len(p) != 5:
		return &connError{frameSizeError, "bad PRIORITY"}
	case binary.BigEndian.Uint32(p)&^(1<<31) == h.stream:
		return &connError{protocolError, "stream depends on itself"}
	}
	return s.glitch()
}

func (s *session) ping(h *frameHeader, p []byte) error {
	switch {
	case h.stream != 0:
		return &connError{protocolError, "PING of a stream"}
	case len(p) != 8:
		return &connError{frameSizeError, "bad PING"}
	case h.has(flagAck):
		s.ponged = true
		return s.glitch()
	}
	s.mu.Lock()
	s.out = appendPing(s.out, flagAck, p)
	err := s.paidGlitchLocked()
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.makeRoom()
}

// idleLocked is the fault of a frame for a stream that has not begun; one that has
// ended is none.
func (s *session) idleLocked(id uint32) error {
	if id > s.lastID || (id&1 == 0) == (s.first == 1) {
		return &connError{protocolError, "frame of an idle stream"}
	}
	return nil
}

// reset takes the end of a stream.
func (s *session) reset(h *frameHeader, p []byte) error {
	switch {
	case h.stream == 0:
		return &connError{protocolError, "RST_STREAM without a stream"}
	case len(p) != 4:
		return &connError{frameSizeError, "bad RST_STREAM"}
	}
	code := errorCode(binary.BigEndian.Uint32(p))
	s.mu.Lock()
	st := s.streams[h.stream]
	if st == nil {
		err := s.idleLocked(h.stream)
		s.forgetResetLocked(h.stream)
		s.mu.Unlock()
		if err != nil {
			return err
		}
		return s.glitch()
	}
	st.endLocked(resetError(code))
	s.departed = append(s.departed, departed{s, st, st.id})
	s.mu.Unlock()
	return s.glitch()
}

// data takes a part of a body.
func (s *session) data(h *frameHeader, p []byte) error {
	if h.stream == 0 {
		return &connError{protocolError, "DATA without a stream"}
	}
	whole := len(p)
	p, err := unpad(h, p)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owed -= whole; s.owed < 0 {
		return &connError{flowControlError, "more DATA than there is space for"}
	}
	st := s.streams[h.stream]
	if st == nil || st.err != nil || st.ended {
		s.grantLocked(whole)
		if st == nil {
			if err := s.idleLocked(h.stream); err != nil {
				return err
			}
			if _, ours := s.wasClosedLocked(h.stream); ours {
				return s.glitch()
			}
			s.out = appendReset(s.out, h.stream, streamClosed)
		} else if st.spoilt == nil && !st.ourReset {
			st.refuseLocked(streamClosed)
		}
		return s.glitch()
	}
	if whole == 0 && !h.has(flagEndStream) {
		if err := s.glitch(); err != nil {
			return err
		}
	}
	s.glitches.forgive(len(p) / 256)
	s.grantLocked(whole - len(p))
	return st.dataLocked(h, p, whole-len(p))
}
