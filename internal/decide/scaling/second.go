package scaling

import (
	"time"

	"neargate/internal/model"
)

// second is one measured second with what is needed to read it.
type second struct {
	model.ServiceSecond
	warm int // tasks that began to serve a moment ago
}

// maxInterval bounds how long one observation may say it covers: after a
// stalled clock a longer one would drown all others.
const maxInterval = 10 * time.Second

// clean puts an observation's numbers into their ranges, so that a broken
// sample cannot scale anything to a wild number.
func clean(s model.ServiceSecond) model.ServiceSecond {
	if s.Interval <= 0 || s.Interval > maxInterval {
		s.Interval = time.Second
	}
	s.Running = max(s.Running, 0)
	s.Starting = max(s.Starting, 0)
	s.Draining = max(s.Draining, 0)
	s.Sampled = max(s.Sampled, 0)
	s.CPUPerTask = max(s.CPUPerTask, 0)
	s.CPU = max(s.CPU, 0)
	s.Memory = max(s.Memory, 0)
	s.MemoryPerTask = max(s.MemoryPerTask, 0)
	s.Arrivals = max(s.Arrivals, 0)
	s.Completed = max(s.Completed, 0)
	s.InFlight = max(s.InFlight, 0)
	s.Queued = max(s.Queued, 0)
	return s
}

// cores is what one task's quota allows, in CPU-seconds per second.
func (s second) cores() float64 { return ratio(s.CPUPerTask, s.Interval) }

// low is the CPU that serving tasks used at least: a task that starts may have
// used its whole quota on starting.
func (s second) low() time.Duration {
	return max(0, s.CPU-time.Duration(s.Starting+s.warm)*s.CPUPerTask)
}

// high is the CPU that they used at most: tasks that were not sampled may have
// used their whole quota.
func (s second) high() time.Duration {
	missing := max(0, s.Running+s.Draining-s.Sampled)
	return s.CPU + time.Duration(missing)*s.CPUPerTask
}

// contaminated says that start-up work or missing samples blur the CPU of this
// second.
func (s second) contaminated() bool {
	return s.Starting+s.warm > 0 || s.Sampled < s.Running+s.Draining
}

// bucket is the second as the history keeps it.
func (s second) bucket() Bucket {
	b := Bucket{
		Span:      s.Interval,
		Arrivals:  int64(s.Arrivals),
		Completed: int64(s.Completed),
		CPULow:    s.low(),
		CPUHigh:   s.high(),
		TaskTime:  time.Duration(s.Running) * s.Interval,
	}
	if s.Sampled > 0 && s.MemoryPerTask > 0 {
		b.MemSpan = s.Interval
		b.Memory = float64(s.Memory) / float64(s.MemoryPerTask) / float64(s.Sampled) * s.Interval.Seconds()
	}
	return b
}

func ratio(a, b time.Duration) float64 {
	if b <= 0 {
		return 0
	}
	return float64(a) / float64(b)
}
