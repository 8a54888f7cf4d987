package measure

import (
	"math"

	"neargate/internal/sim"
)

// Response is how a scaler followed a step of the load: seconds after it, -1
// when that did not come.
type Response struct {
	FirstOrder int // the first order outwards
	Capacity   int // as many tasks serve as are needed
	Recovered  int // the backlog is gone
	Orders     int // of all orders in the first minute
	Overshoot  int // the most tasks desired beyond the need
}

// manyEach is how many requests for each serving task make a backlog: at the
// utilisation that an SLO allows, one or two are usual.
const manyEach = 2

// beginning is how many seconds after a step its backlog has begun, if it has
// one; what waits later waits by chance.
const beginning = 3

// Step follows a run from the step of the load at second at, up to which it
// needed fewer than need tasks. The backlog is gone at the end of the first
// second that leaves no more than two requests for each serving task.
func Step(r sim.Result, at, need int) Response {
	resp := Response{FirstOrder: -1, Capacity: -1, Recovered: -1}
	for _, o := range r.Orders {
		if o.At+1 < at {
			continue
		}
		if o.To > o.From && resp.FirstOrder < 0 {
			resp.FirstOrder = o.At + 1 - at
		}
		if o.At < at+60 {
			resp.Orders++
		}
		resp.Overshoot = max(resp.Overshoot, o.To-need)
	}
	began := false
	for i := at; i < len(r.Seconds); i++ {
		s := r.Seconds[i]
		if resp.Capacity < 0 && s.Running >= need {
			resp.Capacity = i - at
		}
		waits := s.InFlight+s.Queued > manyEach*s.Running
		began = began || waits && i < at+beginning
		if began && !waits && resp.Recovered < 0 {
			resp.Recovered = i + 1 - at
		}
	}
	if !began {
		resp.Recovered = 0
	}
	return resp
}

// Physics is the shortest time in which the backlog of a step can be gone:
// running tasks get load vCPU of work each second, new ones come after start
// seconds, and no more than most can be there. All tasks have vcpu.
//
// 10 → 80 requests a second of 100 ms, 2 tasks of 1 vCPU, at most 20, a start
// of 10 s: the backlog grows to (8-2)×10 = 60 vCPU-seconds and shrinks by
// 20-8 = 12 a second: 10 + 60/12 = 15 s.
func Physics(load, vcpu float64, running, most int, start float64) float64 {
	behind := load - float64(running)*vcpu
	spare := float64(most)*vcpu - load
	switch {
	case behind <= 0:
		return 0
	case spare <= 0:
		return math.Inf(1)
	}
	return start + behind*start/spare
}

// Ratio is how many times a limit something is; a limit of 0 is reached (1)
// only by 0.
func Ratio(value, limit float64) float64 {
	switch {
	case limit != 0:
		return value / limit
	case value == 0:
		return 1
	}
	return math.Inf(1)
}
