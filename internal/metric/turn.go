package metric

import (
	"context"
	"time"
)

// EachFull calls do at each full period of the wall clock, such as each full
// second, until ctx ends; it returns nil then. early is by how much a timer may
// seem to fire before its time when the clock is being slewed.
func EachFull(ctx context.Context, period, early time.Duration, do func(now time.Time)) error {
	timer := time.NewTimer(untilFull(period, early))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
			do(time.Now())
			timer.Reset(untilFull(period, early))
		}
	}
}

// untilFull returns the time to the next full period.
func untilFull(period, early time.Duration) time.Duration {
	now := time.Now()
	return now.Add(early).Truncate(period).Add(period).Sub(now)
}
