package sim

import "math"

// task is a processor-sharing server: its requests share its vCPU evenly, each
// at most one core. Instead of every request's remaining work it keeps the
// work that one request would have got since the start (service); a request
// that arrives at service v with demand d ends when service reaches v+d.
type task struct {
	number   int     // in the order of their orders
	vcpu     float64 // its requests share this
	ordered  float64 // when it was ordered: it costs from then on
	ready    float64 // when it takes requests
	serving  bool    // it is ready; it may be draining
	draining bool
	at       int     // index in plant.tasks
	slot     int     // index in plant.serving, -1 when it takes no requests
	jobs     []job   // a heap: the soonest to end first; with slices a line, those that run first
	service  float64 // what each request got
	updated  float64 // up to when service and used have been counted
	used     float64 // vCPU-seconds in this second
	last     float64 // the same in the last second
	unread   float64 // the same since it was last read, before this second
	quota    quota
}

type job struct {
	end     float64 // in service; with slices the CPU time that it still needs
	ran     float64 // CPU time in its turn, with slices
	arrived float64 // at the balancer
	sent    float64 // to the task
}

// rate is how much service each request gets per second.
func (t *task) rate() float64 {
	return min(t.vcpu/float64(len(t.jobs)), 1)
}

// advance counts what has been served until now.
func (t *task) advance(now float64) {
	switch n := len(t.jobs); {
	case n == 0:
		t.service = 0 // nothing refers to it; keeps the floats small
	case t.quota.size > 0:
		t.advanceQuota(now)
	default:
		got := (now - t.updated) * t.rate()
		t.service += got
		t.used += got * float64(n)
	}
	t.updated = now
}

// next is when something happens to the task: its start or a request ends, or
// its quota changes.
func (t *task) next() float64 {
	switch {
	case !t.serving:
		return t.ready
	case len(t.jobs) == 0:
		return math.Inf(1)
	case t.quota.size > 0:
		return t.nextQuota()
	}
	return t.updated + max(t.jobs[0].end-t.service, 0)/t.rate()
}

// add gives the task a request.
func (t *task) add(now, arrived, demand float64) {
	t.advance(now)
	if len(t.jobs) == 0 && t.quota.size > 0 {
		t.quota.wake(now)
	}
	if t.quota.slice > 0 {
		t.jobs = append(t.jobs, job{end: demand, arrived: arrived, sent: now})
		return
	}
	j := job{end: t.service + demand, arrived: arrived, sent: now}
	t.jobs = append(t.jobs, j)
	i := len(t.jobs) - 1
	for i > 0 {
		up := (i - 1) / 2
		if t.jobs[up].end <= j.end {
			break
		}
		t.jobs[i] = t.jobs[up]
		i = up
	}
	t.jobs[i] = j
}

// finish takes the soonest request out.
func (t *task) finish() job {
	if t.quota.slice > 0 {
		i := t.served()
		j := t.jobs[i]
		t.jobs = append(t.jobs[:i], t.jobs[i+1:]...)
		return j
	}
	done, last := t.jobs[0], len(t.jobs)-1
	j := t.jobs[last]
	t.jobs = t.jobs[:last]
	i := 0
	for {
		down := 2*i + 1
		if down >= last {
			break
		}
		if down+1 < last && t.jobs[down+1].end < t.jobs[down].end {
			down++
		}
		if j.end <= t.jobs[down].end {
			break
		}
		t.jobs[i] = t.jobs[down]
		i = down
	}
	if last > 0 {
		t.jobs[i] = j
	}
	return done
}
