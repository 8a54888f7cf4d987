package routing

import "time"

// Share returns the part of its full share of requests that a target gets which
// began a slow start at since: it grows evenly over the ramp. The zero time is a
// target that is not in slow start (load-balancer-target-groups, "Slow start
// mode"). A tenth of a second into a ramp of 30 s it is 0.3 %.
func Share(since, now time.Time, ramp time.Duration) float64 {
	if since.IsZero() || ramp <= 0 {
		return 1
	}
	return min(1, max(0, float64(now.Sub(since))/float64(ramp)))
}

// Warms reports whether a target that has become healthy begins a slow start:
// only where one of the others, by their shares, takes its full part, so that the
// first targets of a group do not.
func Warms(ramp time.Duration, others []float64) bool {
	if ramp <= 0 {
		return false
	}
	for _, share := range others {
		if share >= 1 {
			return true
		}
	}
	return false
}
