package sim

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Quota makes tasks run under a CFS quota: in each Period a task may use
// TaskVCPU × Period of CPU, on up to Cores cores at once; when that is gone it
// stands still until the period ends. The zero value has no quota: a task then
// shares TaskVCPU evenly at all times.
//
// With Slice, requests beyond Cores take turns, as goroutines do: each runs for
// Slice, or until the quota is gone, and then goes to the end of the line.
// Without it the requests share the cores evenly. Where each request needs
// about two slices, a backlog is served rather in turn than all at once: of a
// burst that takes 18 s to work off, the quartile and the median are 2 s lower
// and the p99 is the same.
type Quota struct {
	Cores  int
	Period time.Duration // 0 is Linux's 100 ms
	Slice  time.Duration // Go's is GoSlice; 0: even sharing
}

// GoSlice is how long Go lets a goroutine run while others wait, the mean: its
// monitor looks every 10 ms, takes note of a goroutine when it sees it first,
// and preempts it at the next look (retake in the runtime's proc.go).
const GoSlice = 15 * time.Millisecond

const cfsPeriod = 100 * time.Millisecond

func (q Quota) validate() error {
	var errs []error
	if q.Cores < 0 {
		errs = append(errs, fmt.Errorf("cores %d must not be negative", q.Cores))
	}
	if q.Period < 0 || q.Period > 0 && q.Period < time.Millisecond {
		errs = append(errs, fmt.Errorf("quota period %v must be at least 1 ms", q.Period))
	}
	if q.Slice < 0 || q.Slice > 0 && q.Slice < 100*time.Microsecond {
		errs = append(errs, fmt.Errorf("slice %v must be at least 100 µs", q.Slice))
	}
	return errors.Join(errs...)
}

// quota is a task's account in the current period.
type quota struct {
	size      float64 // vCPU-seconds in a period; 0: no quota
	period    float64
	cores     float64
	left      float64
	end       float64 // of the period
	throttled bool
	slice     float64 // 0: even sharing
}

// settled is the smallest CPU time that is told from none.
const settled = 1e-9

// newQuota begins periods at a time that differs from task to task: a number's
// multiples of the golden ratio spread evenly.
func newQuota(q Quota, vcpu, now float64, number int) quota {
	if q.Cores == 0 {
		return quota{}
	}
	period := cfsPeriod.Seconds()
	if q.Period > 0 {
		period = q.Period.Seconds()
	}
	_, phase := math.Modf(float64(number) * 0.6180339887498949)
	return quota{size: vcpu * period, left: vcpu * period, period: period, cores: float64(q.Cores), slice: q.Slice.Seconds(), end: now + (1-phase)*period}
}

// wake brings an idle task's periods up to now.
func (q *quota) wake(now float64) {
	if now >= q.end {
		q.end += (math.Floor((now-q.end)/q.period) + 1) * q.period
		q.left, q.throttled = q.size, false
	}
}

func (t *task) quotaRate() float64 {
	if t.quota.throttled {
		return 0
	}
	return min(t.quota.cores/float64(len(t.jobs)), 1)
}

// advanceQuota serves until now, which lies in the current period.
func (t *task) advanceQuota(now float64) {
	q := &t.quota
	var cpu float64
	if q.slice > 0 {
		cpu = t.runSlices(now)
	} else {
		got := (now - t.updated) * t.quotaRate()
		t.service += got
		cpu = got * float64(len(t.jobs))
	}
	t.used += cpu
	if q.left -= cpu; q.left <= settled {
		q.throttled = true
	}
	if now >= q.end {
		q.end += q.period
		q.left, q.throttled = q.size, false
	}
}

func (t *task) nextQuota() float64 {
	q, rate := &t.quota, t.quotaRate()
	switch {
	case q.throttled:
		return q.end
	case q.slice > 0:
		return t.nextSlice()
	}
	done := t.updated + max(t.jobs[0].end-t.service, 0)/rate
	empty := t.updated + q.left/(rate*float64(len(t.jobs)))
	return min(done, empty, q.end)
}

// due reports that the task's soonest request is served.
func (t *task) due() bool {
	if t.quota.slice > 0 {
		return t.served() >= 0
	}
	return t.quota.size == 0 || t.jobs[0].end-t.service <= settled
}
