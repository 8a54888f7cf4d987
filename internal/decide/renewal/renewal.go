// Package renewal decides when a certificate is issued anew, and when an order
// that failed is tried again. It is pure.
package renewal

import "time"

// State is what is known of a certificate that its issuer renews.
type State struct {
	NotBefore, NotAfter time.Time // of what is there; zero: nothing has been issued
	Requested           time.Time
	InUse               bool
	Asked               bool // it is to be renewed at once
	Failures            int  // of orders since the last one that was met
	FailedAt            time.Time
}

const (
	// early is how long before a certificate's end AWS renews it
	// ("Managed certificate renewal": 60 days).
	early = 60 * 24 * time.Hour
	// patience is how long AWS waits for a domain to be validated.
	patience = 72 * time.Hour

	firstPause = time.Minute
	maxPause   = 12 * time.Hour
)

// Decision is what is to be done about a certificate.
type Decision int

// The decisions.
const (
	Wait  Decision = iota
	Order          // a certificate is ordered
	Lapse          // the request has waited too long: it ends
)

// Decide returns what is to be done at now.
//
// One that is in use is renewed 60 days before its end, or when a third of its
// life is left where that is later; one that nothing uses runs out, as AWS has
// it. An order that failed is made again after pauses that double.
func (s State) Decide(now time.Time) Decision {
	if now.Before(s.FailedAt.Add(s.pause())) {
		return Wait
	}
	switch {
	case s.NotAfter.IsZero() && !now.Before(s.Requested.Add(patience)):
		return Lapse
	case s.NotAfter.IsZero():
		return Order
	case s.Asked, s.InUse && !now.Before(s.Due()):
		return Order
	}
	return Wait
}

// Due is when the certificate is renewed.
func (s State) Due() time.Time {
	return s.NotAfter.Add(-min(early, s.NotAfter.Sub(s.NotBefore)/3))
}

// pause is how long after a failure the next order waits.
func (s State) pause() time.Duration {
	if s.Failures == 0 {
		return 0
	}
	// Beyond ten doublings it is the longest pause; shifts stay small.
	return min(maxPause, firstPause<<min(s.Failures-1, 10))
}
