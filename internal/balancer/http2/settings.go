package http2

import (
	"encoding/binary"
)

// settings takes what the peer wishes.
func (s *session) settings(h *frameHeader, p []byte) error {
	switch {
	case h.stream != 0:
		return &connError{protocolError, "SETTINGS of a stream"}
	case h.has(flagAck) && len(p) > 0, len(p)%6 != 0:
		return &connError{frameSizeError, "bad SETTINGS"}
	case !s.settled && h.has(flagAck):
		return &connError{protocolError, "first SETTINGS is an acknowledgement"}
	}
	if err := s.glitch(); err != nil || h.has(flagAck) {
		return err
	}
	s.settled = true
	s.mu.Lock()
	for ; len(p) > 0; p = p[6:] {
		id, v := setting(binary.BigEndian.Uint16(p)), binary.BigEndian.Uint32(p[2:])
		if err := s.applyLocked(id, v); err != nil {
			s.mu.Unlock()
			return err
		}
	}
	s.out = appendFrameHeader(s.out, frameHeader{kind: settingsFrame, flags: flagAck})
	s.mu.Unlock()
	return s.makeRoom()
}

func (s *session) applyLocked(id setting, v uint32) error {
	switch id {
	case settingTableSize:
		s.resize = true
	case settingPush:
		if v > 1 {
			return &connError{protocolError, "bad ENABLE_PUSH"}
		}
	case settingMaxStreams:
		s.most = v
	case settingInitialWindow:
		if v > maxWindow {
			return &connError{flowControlError, "initial window too large"}
		}
		more := int(v) - s.initial
		s.initial = int(v)
		for _, st := range s.streams {
			if st.space += more; st.space > maxWindow {
				return &connError{flowControlError, "window too large"}
			}
			st.write.signal()
		}
	case settingMaxFrame:
		if v < maxFrame || v >= 1<<24 {
			return &connError{protocolError, "bad MAX_FRAME_SIZE"}
		}
	case settingConnectProtocol:
		if v > 1 {
			return &connError{protocolError, "bad ENABLE_CONNECT_PROTOCOL"}
		}
		s.connect = v == 1
	case settingMaxHeaderList: // advisory; a peer that minds refuses
	}
	return nil
}
