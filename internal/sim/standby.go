package sim

import (
	"time"

	"neargate/internal/decide/routing"
	"neargate/internal/decide/scaling"
)

// Waker is a Scaler that is asked at once when a request finds no task. With any
// other one such requests wait for a task, however long that takes.
type Waker interface {
	Scaler
	// Awaken returns the desired count, and whether a task is on its way, so that
	// the waiting requests wait for it; they are refused otherwise.
	Awaken(at time.Time, waiting int) (desired int, reason string, coming bool)
}

// patience is how long a request waits for a first task, in seconds: the idle
// timeout of a load balancer that has AWS's default.
const patience = 60

// stand lets a request wait for a task where there is none, or refuses it, as the
// server's balancer does.
func (p *plant) stand(w Waker, r request) {
	if len(p.balancer.waiting()) >= routing.MostStandby || !p.awaken(w, len(p.balancer.waiting())+1) {
		p.refuse(1)
		return
	}
	p.balancer.queue = append(p.balancer.queue, r)
}

// awaken asks for a first task, and reports whether one is on its way.
func (p *plant) awaken(w Waker, waiting int) (coming bool) {
	desired, reason, coming := w.Awaken(p.cfg.Faults.clock(p.cfg.Begin, p.now), waiting)
	if desired != p.desired {
		p.scale(int(p.begin), desired, reason)
	}
	return coming
}

// turnAway refuses those who have waited for a task for too long, and all when none
// is on its way.
func (p *plant) turnAway() {
	w, ok := p.cfg.Scaler.(Waker)
	b := &p.balancer
	if !ok || len(b.serving) > 0 || len(b.waiting()) == 0 {
		return
	}
	coming := p.awaken(w, len(b.waiting()))
	for len(b.waiting()) > 0 && (!coming || p.now-b.waiting()[0].arrived > patience) {
		b.head++
		p.refuse(1)
	}
}

// refuse counts requests that the balancer answers with 503.
func (p *plant) refuse(n int) {
	p.account.second.refused += n
	p.out.Failed += n
	p.out.Late += n
}

// Awaken is a Waker's.
func (d *Decider) Awaken(at time.Time, waiting int) (desired int, reason string, coming bool) {
	if !d.cfg.Awakens() {
		return d.desired, "", false
	}
	before := d.desired
	var dec scaling.Decision
	dec, d.state = scaling.Awaken(d.cfg, d.state, d.desired, waiting, at)
	if d.desired = dec.Desired; d.desired != before {
		reason = dec.Reason.String()
	}
	return d.desired, reason, true
}
