package sim

import (
	"fmt"
	"time"

	"neargate/internal/decide/placement"
)

// order orders a task.
func (p *plant) order(start float64) *task {
	t := &task{}
	if n := len(p.free); n > 0 {
		t, p.free = p.free[n-1], p.free[:n-1]
	}
	*t = task{
		number: p.ordered, vcpu: p.cfg.TaskVCPU, ordered: p.now, ready: p.now + start, updated: p.now,
		at: len(p.tasks), slot: -1, jobs: t.jobs[:0],
		quota: newQuota(p.cfg.Quota, p.cfg.TaskVCPU, p.now, p.ordered),
	}
	p.ordered++
	p.tasks = append(p.tasks, t)
	p.next = append(p.next, t.ready)
	p.soon = -1
	return t
}

// startTime is how long the next start takes.
func (p *plant) startTime() float64 {
	d := p.cfg.Start.Seconds()
	if p.cfg.StartJitter > 0 {
		d += p.cfg.StartJitter.Seconds() * p.chance.Float64()
	}
	if chance(p.chance, p.cfg.Faults.SlowStarts) {
		d *= p.cfg.Faults.SlowFactor
	}
	return d
}

// remove ends a task; it costs until now.
func (p *plant) remove(t *task) {
	p.ended(t)
	p.tasks = append(p.tasks[:t.at], p.tasks[t.at+1:]...)
	p.next = append(p.next[:t.at], p.next[t.at+1:]...)
	for i := t.at; i < len(p.tasks); i++ {
		p.tasks[i].at = i
	}
	p.soon = -1
	p.free = append(p.free, t)
}

// scale carries an order out as the scheduler does: draining tasks are taken
// back before new ones start, and placement says which task goes first and
// which comes back.
func (p *plant) scale(i, desired int, reason string) {
	if desired != p.desired {
		p.out.Orders = append(p.out.Orders, Order{At: i, From: p.desired, To: desired, Reason: reason})
		p.desired = desired
	}
	have := 0
	for _, t := range p.tasks {
		if !t.draining {
			have++
		}
	}
	switch {
	case have < desired:
		for _, t := range p.stopOrder(true, desired-have) {
			t.draining = false
			have++
		}
		for ; have < desired; have++ {
			p.order(p.startTime())
		}
	case have > desired:
		for _, t := range p.stopOrder(false, have-desired) {
			t.draining = true
			if len(t.jobs) == 0 {
				p.remove(t)
			}
		}
	default:
		return
	}
	p.regroup()
	p.pull()
}

// stopOrder returns the first n of the draining or the other tasks in the order
// in which the scheduler would stop them.
func (p *plant) stopOrder(draining bool, n int) []*task {
	var of []*task
	var candidates []placement.Candidate
	for _, t := range p.tasks {
		if t.draining == draining {
			of = append(of, t)
			candidates = append(candidates, placement.Candidate{
				ID: fmt.Sprintf("%09d", t.number), Running: t.serving, Healthy: t.serving,
				InFlight: len(t.jobs), CreatedAt: time.Unix(0, int64(t.ordered*1e9)),
			})
		}
	}
	if len(of) == 0 {
		return nil
	}
	out := make([]*task, 0, n)
	for _, i := range placement.StopOrder(candidates)[:min(n, len(of))] {
		out = append(out, of[i])
	}
	return out
}

// crash ends tasks by chance, and replaces them.
func (p *plant) crash() {
	if p.cfg.Faults.Crashes == 0 {
		return
	}
	var crashed []*task
	for _, t := range p.tasks {
		if t.serving && chance(p.chance, p.cfg.Faults.Crashes/3600) {
			crashed = append(crashed, t)
		}
	}
	for _, t := range crashed {
		n := len(t.jobs)
		p.account.second.failed += n
		p.out.Failed += n
		p.out.Late += n
		if !t.draining {
			p.order(p.startTime())
		}
		p.remove(t)
	}
	if len(crashed) > 0 {
		p.regroup()
		p.pull()
	}
}
