package sim

import (
	"math"
	"slices"
)

// task is a processor-sharing server: n requests share its vCPU evenly, each
// at most one core. Instead of every request's remaining work it keeps the
// work that one request would have got since the start (service); a request
// that arrives at service v with demand d ends when service reaches v+d.
type task struct {
	vcpu     float64
	ready    float64 // when it takes requests
	ordered  float64 // when it was ordered: it costs from then on
	draining bool
	jobs     []job // by end, soonest last
	service  float64
	updated  float64 // up to when service and used have been counted
	used     float64 // vCPU-seconds since it was last read
	next     float64 // when the soonest job ends; +Inf without jobs
}

type job struct {
	end     float64 // in service
	arrived float64
	demand  float64
}

// rate is how much service each request gets per second.
func (t *task) rate() float64 {
	return min(t.vcpu/float64(len(t.jobs)), 1)
}

// advance counts what has been served until now.
func (t *task) advance(now float64) {
	if n := len(t.jobs); n > 0 {
		got := (now - t.updated) * t.rate()
		t.service += got
		t.used += got * float64(n)
	} else {
		t.service = 0 // nothing refers to it; keeps the floats small
	}
	t.updated = now
}

func (t *task) plan() {
	if len(t.jobs) == 0 {
		t.next = math.Inf(1)
		return
	}
	t.next = t.updated + max(t.jobs[len(t.jobs)-1].end-t.service, 0)/t.rate()
}

// add gives the task a request.
func (t *task) add(now, arrived, demand float64) {
	t.advance(now)
	j := job{end: t.service + demand, arrived: arrived, demand: demand}
	i, _ := slices.BinarySearchFunc(t.jobs, j.end, func(a job, end float64) int {
		if a.end > end {
			return -1
		}
		return 1
	})
	t.jobs = slices.Insert(t.jobs, i, j)
	t.plan()
}

// finish ends the soonest request.
func (t *task) finish(now float64) job {
	t.advance(now)
	last := len(t.jobs) - 1
	j := t.jobs[last]
	t.jobs = t.jobs[:last]
	t.plan()
	return j
}
