package sim

// running is how many requests of the line have a core.
func (t *task) running() int { return min(len(t.jobs), int(t.quota.cores)) }

// served returns the place in the line of a request that has got all it needs,
// -1 when none has.
func (t *task) served() int {
	for i, j := range t.jobs[:t.running()] {
		if j.end <= settled {
			return i
		}
	}
	return -1
}

// runSlices serves the head of the line until now and gives the CPU time used.
func (t *task) runSlices(now float64) float64 {
	got, n := now-t.updated, t.running()
	if t.quota.throttled {
		got = 0
	}
	for i := range n {
		t.jobs[i].end -= got
		t.jobs[i].ran += got
	}
	// A scheduler that stood still with its task finds all turns over.
	over := t.quota.throttled && now >= t.quota.end
	t.turn(over)
	return got * float64(n)
}

// turn sends requests whose turn is over to the end of the line, if others wait.
func (t *task) turn(all bool) {
	n := t.running()
	if len(t.jobs) == n {
		for i := range t.jobs {
			t.jobs[i].ran = 0
		}
		return
	}
	for i := 0; i < n; {
		j := t.jobs[i]
		if j.end <= settled || !all && j.ran < t.quota.slice-settled {
			i++
			continue
		}
		j.ran = 0
		copy(t.jobs[i:], t.jobs[i+1:])
		t.jobs[len(t.jobs)-1] = j
		n-- // who comes up begins a turn
	}
}

// nextSlice is when a request is served, a turn or the quota or the period ends.
func (t *task) nextSlice() float64 {
	q, n := &t.quota, t.running()
	soon := q.left / float64(n)
	for _, j := range t.jobs[:n] {
		soon = min(soon, max(j.end, 0))
		if len(t.jobs) > n {
			soon = min(soon, max(q.slice-j.ran, 0))
		}
	}
	return min(t.updated+soon, q.end)
}
