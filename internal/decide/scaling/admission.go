package scaling

import "math"

// Admission decides how many requests a task may have in flight at once while
// its service is overloaded; what exceeds that waits at the balancer, first
// come first served. A request that has been sent to a busy task is stuck
// there: the tasks that an overload calls for take only what comes after them.
// One that waits at the balancer goes to the first task that has room.
type Admission struct {
	PerTask int     // in force; 0: any number
	Wider   float64 // how many times wider than the estimate the next one is to be; 0 is 1
	Starved int     // seconds in a row in which requests waited and tasks had time
}

const (
	// leastPerTask keeps a task busy while an answer is on its way.
	leastPerTask = 2
	// overloaded is the use of the tasks from which on more requests in flight
	// only wait for each other.
	overloaded = 0.9
	// starving is the use below which tasks are kept from work, if requests
	// wait for so many seconds: the limit is too narrow.
	starving        = 0.7
	starvingSeconds = 2
	// widest is beyond any use.
	widest = 1 << 16
)

// follow takes one measured second in. Only a service whose CPU is used up is
// limited: whatever else requests wait for, more of them at once may be right.
func (a Admission) follow(d Demand, s second) Admission {
	cores := s.cores()
	if !s.Balanced || s.Running == 0 || cores <= 0 {
		return a
	}
	use := s.CPU.Seconds() / s.Interval.Seconds() / (float64(s.Running) * cores)
	switch {
	case a.PerTask == 0:
		limit := a.estimate(d, cores)
		if limit > 0 && use >= overloaded && s.InFlight+s.Queued > limit*s.Running {
			a.PerTask = limit
		}
		return a
	case s.Queued == 0 && use < overloaded:
		return Admission{Wider: max(1, a.Wider/2)}
	}
	// What is learned of requests that wait is not what fills a task: the
	// estimate stands.
	if s.Queued > 0 && use < starving && s.warm == 0 {
		a.Starved++
	} else {
		a.Starved = 0
	}
	if a.Starved >= starvingSeconds {
		a.Starved, a.Wider = 0, min(2*max(1, a.Wider), widest)
		a.PerTask = min(2*a.PerTask, widest)
	}
	return a
}

// estimate is twice the number of requests in flight that fill a task, by
// Little's law: a task takes on cores/CPU-of-a-request of them a second, and
// each is there for the response time of a service that is not busy. 0 when
// that is not known.
func (a Admission) estimate(d Demand, cores float64) int {
	each := d.perRequest()
	if each <= 0 || d.Response <= 0 {
		return 0
	}
	fill := cores / each * d.Response
	return int(max(leastPerTask, math.Ceil(min(2*fill*max(1, a.Wider), widest))))
}
