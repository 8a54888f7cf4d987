package model

import "time"

// ScheduledAction sets the bounds of a scalable target at certain times.
type ScheduledAction struct {
	ARN, Name  string
	Namespace  string
	ResourceID string
	Dimension  string
	Schedule   string    // "at(…)", "rate(…)" or "cron(…)"
	Timezone   string    // IANA name, as it was given; "" is UTC
	Start, End time.Time // zero: none
	Min, Max   *int      // what it sets; nil leaves it. One is there
	CreatedAt  time.Time
	ChangedAt  time.Time // when it was put last
	Done       time.Time // the newest of its runs that was dealt with; zero: none
}
