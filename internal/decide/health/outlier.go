package health

import "time"

// Service Connect's passive checks (service-connect-concepts-deploy, "Outlier
// detection"): so many failures in a row, and for how long no new request goes to
// the target then.
const (
	outlierFailures = 5
	outlierPause    = 30 * time.Second
)

// Outlier is what the requests to one target showed of it. The zero value is a
// target that nothing speaks against.
type Outlier struct {
	Streak int       // failures in a row
	Until  time.Time // ejected until then
}

// After returns the state after a request that ended at now.
func (o Outlier) After(failed bool, now time.Time) Outlier {
	if !failed {
		o.Streak = 0
		return o
	}
	if o.Streak++; o.Streak >= outlierFailures {
		o.Streak, o.Until = 0, now.Add(outlierPause)
	}
	return o
}

// Ejected reports whether the target gets no new requests now, unless there is no
// other.
func (o Outlier) Ejected(now time.Time) bool { return now.Before(o.Until) }
