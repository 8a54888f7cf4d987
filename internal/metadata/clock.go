package metadata

import (
	"time"

	"golang.org/x/sys/unix"
)

// clockDrift is how well the machine's clock is kept.
type clockDrift struct {
	ClockErrorBound            float64 // milliseconds
	ReferenceTimestamp         time.Time
	ClockSynchronizationStatus string
}

// drift asks the kernel, which is told by whoever keeps the clock.
func drift(now time.Time) clockDrift {
	out := clockDrift{ReferenceTimestamp: now.UTC().Truncate(time.Second), ClockSynchronizationStatus: "SYNCHRONIZED"}
	var clock unix.Timex
	if _, err := unix.Adjtimex(&clock); err != nil || clock.Status&unix.STA_UNSYNC != 0 {
		out.ClockSynchronizationStatus = "NOT_SYNCHRONIZED"
	}
	out.ClockErrorBound = float64(clock.Maxerror) / 1000
	return out
}
