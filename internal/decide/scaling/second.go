package scaling

import (
	"time"

	"neargate/internal/model"
)

// second is one measured second with what is needed to read it.
type second struct {
	model.ServiceSecond
	warm  int // tasks that began to serve a moment ago
	young int // tasks that began to serve before that, and not long ago
	held  int // requests in flight or queued when the second began
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
// used its whole quota on starting, and a young one what no requests account for.
func (s second) low() time.Duration {
	return max(0, s.serving()-time.Duration(s.Starting+s.warm)*s.CPUPerTask)
}

// serving is the CPU without what young tasks used that no requests account for.
func (s second) serving() time.Duration {
	asked, known := s.asked()
	if !known || s.young == 0 || s.CPU <= asked {
		return s.CPU
	}
	return max(asked, s.CPU-time.Duration(s.young)*s.CPUPerTask)
}

// askedSlack is by how much more CPU requests may have used than what was
// measured of them: those that came in this second and are in flight at its end
// show in the next.
const askedSlack = 2

// asked is the CPU that requests can have used at most: each no more than a
// task's quota, or one core, for as long as it was in the service. known is
// false where the requests are not measured.
func (s second) asked() (most time.Duration, known bool) {
	if !s.Balanced || s.Completed > 0 && !hasAnswers(s.Latency) {
		return 0, false
	}
	length := s.Interval.Seconds()
	inside := float64(min(s.held, s.InFlight+s.Queued)) * length // all through the second
	for i, n := range s.Latency.Counts {
		if i < len(s.Latency.Values) && s.Latency.Values[i] > 0 {
			inside += min(s.Latency.Values[i], length) * float64(n)
		}
	}
	// No more than all, which also keeps infinite latencies out.
	return time.Duration(min(askedSlack*inside*max(1, s.cores()), s.CPU.Seconds()) * float64(time.Second)), true
}

// high is the CPU that they used at most: tasks that were not sampled may have
// used their whole quota.
func (s second) high() time.Duration {
	missing := max(0, s.Running+s.Draining-s.Sampled)
	return s.CPU + time.Duration(missing)*s.CPUPerTask
}

// contaminated reports that start-up work or missing samples blur the CPU of
// this second.
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
