package health

import (
	"time"

	"neargate/internal/model"
)

// The quick probes of a new target.
const (
	// firstGap is the pause after the first failed probe. A refused
	// connection costs some 50 µs, so a hundred a second are affordable for
	// the fraction of a second that most programs take to listen.
	firstGap = 10 * time.Millisecond
	// waitShare bounds what probing adds to a new target's start: the next
	// probe comes after 1/waitShare of the time waited so far.
	waitShare = 10
	// minConnect is the least time a connection attempt gets. A target whose
	// network is not up yet drops the first packet; waiting for the kernel
	// to send it again would cost a second.
	minConnect = 100 * time.Millisecond
)

// Plan is one probe to come.
type Plan struct {
	At      time.Time     // when to begin; may be past
	Connect time.Duration // limit for the connection alone
	Timeout time.Duration // limit for the whole probe
}

// First is the probe of a target that was registered at now: at once.
func (s State) First(hc model.HealthCheck, now time.Time) Plan {
	return Plan{At: now, Connect: s.connect(hc, now), Timeout: hc.Timeout}
}

// Next is the probe after one that began at began and ended at now. Probes come
// at the health check's interval, however long they take; those of a new target
// begin 10 ms apart and thin out as it takes longer, up to the interval.
//
// With an interval of 30 s, a target that listens 2 s after its registration is
// found healthy at most 200 ms later.
func (s State) Next(hc model.HealthCheck, began, now time.Time) Plan {
	gap := hc.Interval
	if s.Name == Initial {
		gap = min(gap, max(firstGap, now.Sub(s.Since)/waitShare))
	}
	at := began.Add(gap)
	if s.Name == Initial {
		at = now.Add(gap) // a probe that hung gives the target time as well
	}
	return Plan{At: at, Connect: s.connect(hc, at), Timeout: hc.Timeout}
}

func (s State) connect(hc model.HealthCheck, at time.Time) time.Duration {
	if s.Name != Initial {
		return hc.Timeout
	}
	return min(hc.Timeout, max(minConnect, at.Sub(s.Since)))
}
