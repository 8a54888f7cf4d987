package http2

import (
	"errors"
	"io"
	"os"
)

// smallRead is how much of an idle connection is read first, before there is a
// buffer: most connections are idle.
const smallRead = 64

// readFrames takes frames in until the session ends, and returns why.
func (s *session) readFrames() error {
	for {
		for {
			p := s.in[s.at:]
			if len(p) < headerLen {
				break
			}
			h := &s.header
			*h = parseFrameHeader(p)
			if h.length > maxFrame {
				return &connError{frameSizeError, "frame too large"}
			}
			if len(p) < headerLen+h.length {
				break
			}
			size := headerLen + h.length
			err := s.frame(h, p[headerLen:headerLen+h.length])
			if len(s.departed) > 0 {
				s.tellGone()
			}
			if err != nil {
				return err
			}
			s.at += size
		}
		s.side.batch()
		if err := s.fill(); err != nil {
			return err
		}
	}
}

// fill reads more. A buffer with nothing in it is given back meanwhile.
func (s *session) fill() error {
	if s.at == len(s.in) {
		s.pools.put(s.in)
		s.in, s.at = nil, 0
		n, err := s.readSome(s.little[:])
		if err != nil {
			return err
		}
		s.in = append(s.pools.get(middleBuffer), s.little[:n]...)
		return nil
	}
	if s.at > 0 {
		s.in = s.in[:copy(s.in, s.in[s.at:])]
		s.at = 0
	}
	n, err := s.readSome(s.in[len(s.in):cap(s.in)])
	s.in = s.in[:len(s.in)+n]
	return err
}

// readSome reads once; the side decides what follows from a timeout.
func (s *session) readSome(p []byte) (int, error) {
	for {
		n, err := s.nc.Read(p)
		switch {
		case n > 0 || err == nil:
			return n, nil // the error comes again with the next read
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return 0, err
		}
		if err := s.side.timeout(); err != nil {
			return 0, err
		}
	}
}

// readExactly waits for what every peer sends first.
func (s *session) readExactly(want string) error {
	for len(s.in)-s.at < len(want) {
		if have := s.in[s.at:]; string(have) != want[:len(have)] {
			return &connError{protocolError, "bad preface"}
		}
		if err := s.fill(); err != nil {
			if errors.Is(err, io.EOF) {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	if string(s.in[s.at:s.at+len(want)]) != want {
		return &connError{protocolError, "bad preface"}
	}
	s.at += len(want)
	return nil
}
