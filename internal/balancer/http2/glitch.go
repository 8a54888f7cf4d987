package http2

import "time"

// glitches counts what a peer has us do that no request needs: pings, settings,
// resets, empty frames. Requests and bodies pay for some. Only a peer that goes
// on at more than maxGlitches in glitchTime is sent away.
type glitches struct {
	n     int
	since time.Time
}

const (
	maxGlitches = 1000
	glitchTime  = 10 * time.Second
	credit      = 10_000 // at most, for what may come later: windows are opened behind a body
	paidByData  = 3      // two windows may be opened for a frame, and the way measured
)

// forgive takes off n.
func (g *glitches) forgive(n int) { g.n = max(g.n-n, -credit) }

// glitch counts one.
func (s *session) glitch() error {
	g := &s.glitches
	if g.n++; g.n < maxGlitches {
		return nil
	}
	now := time.Now()
	if now.Sub(g.since) > glitchTime {
		g.n, g.since = 0, now
		return nil
	}
	return &connError{enhanceYourCalm, "too many frames that ask for nothing"}
}

// paidGlitchLocked counts a frame that what we have sent may be the reason for.
func (s *session) paidGlitchLocked() error {
	if s.paid > 0 {
		s.paid--
		return nil
	}
	return s.glitch()
}
