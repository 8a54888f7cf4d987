package http2

import (
	"encoding/binary"
)

// window takes more space to send into.
func (s *session) window(h *frameHeader, p []byte) error {
	if len(p) != 4 {
		return &connError{frameSizeError, "bad WINDOW_UPDATE"}
	}
	more := int(binary.BigEndian.Uint32(p) &^ (1 << 31))
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.paidGlitchLocked(); err != nil {
		return err
	}
	if h.stream == 0 {
		if s.space += more; more == 0 || s.space > maxWindow {
			return windowError(more)
		}
		if s.waiting > 0 {
			s.wakeWritersLocked()
		}
		return nil
	}
	st := s.streams[h.stream]
	if st == nil {
		return s.idleLocked(h.stream)
	}
	if st.space += more; more == 0 || st.space > maxWindow {
		st.refuseLocked(windowError(more).code)
		return nil
	}
	st.write.signal()
	return nil
}

func windowError(more int) *connError {
	if more == 0 {
		return &connError{protocolError, "WINDOW_UPDATE of nothing"}
	}
	return &connError{flowControlError, "window too large"}
}
