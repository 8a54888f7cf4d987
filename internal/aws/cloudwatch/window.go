package cloudwatch

import "time"

// Up to these ages data have the resolution of one minute, and of five.
const (
	minuteAge     = 15 * 24 * time.Hour
	fiveMinuteAge = 63 * 24 * time.Hour
)

// validPeriod reports whether CloudWatch takes a period, in seconds.
func validPeriod(p int32) bool {
	switch p {
	case 1, 5, 10, 20, 30:
		return true
	}
	return p > 0 && p%60 == 0
}

// roundStart returns the start of a query as CloudWatch rounds it down: to the
// resolution that data of its age have, or for short periods to the period.
func roundStart(start, now time.Time, period time.Duration) time.Time {
	step := finest(start, now)
	if step == time.Minute && period < step {
		step = period
	}
	return start.UTC().Truncate(step)
}

// finest returns the finest period of a minute or more that data of a start's
// age have.
func finest(start, now time.Time) time.Duration {
	switch age := now.Sub(start); {
	case age > fiveMinuteAge:
		return time.Hour
	case age > minuteAge:
		return 5 * time.Minute
	}
	return time.Minute
}
