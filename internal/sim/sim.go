// Package sim runs a service in virtual time: requests arrive by a seeded
// Poisson process, tasks serve them as processor-sharing servers, a balancer
// spreads them, and once a second a Scaler sees what the live autoscaler would
// see and says how many tasks there should be.
//
// The decisions are the server's own: decide/routing picks the task of a
// request, decide/placement the task that goes, decide/scaling and
// decide/alarm (through Decider) the count. What is modelled is the rest: a
// task shares its CPU evenly among its requests, each at most one core; a task
// takes requests a start-up time after its order, and ends as soon as it has
// drained; a request finds the balancer and the answer finds the client in no
// time.
//
// A run depends on its Config alone: the same seed gives the same result to
// the last bit. There is no clock and no goroutine. Times are seconds from the
// start of the run.
package sim

import (
	"errors"
	"fmt"
	"math"
	"time"

	"neargate/internal/model"
)

// Scaler decides once a second. It gets the second that has just ended, with
// At as the time on the run's clock, and returns the desired count.
// The simulator holds the answer to at least 0. What a slice in s holds is
// the simulator's again once Second returns.
type Scaler interface {
	Second(s model.ServiceSecond) (desired int, reason string)
}

// Admitter is a Scaler that also says, after each Second, how many requests a
// task may have in flight; 0 is any number. Config.PerTask overrides it.
type Admitter interface {
	Scaler
	PerTask() int
}

// Routing is how the balancer picks a task.
type Routing string

// The routings. The server has all but PowerOfTwo, which takes the less busy
// of two random tasks.
const (
	LeastInFlight Routing = "" // least_outstanding_requests
	RoundRobin    Routing = "round_robin"
	Random        Routing = "weighted_random"
	PowerOfTwo    Routing = "power_of_two"
)

// Config is a load, a plant and a scaler.
type Config struct {
	Seed uint64
	// Begin is what the clock shows at the beginning; zero is the Unix epoch.
	// Scheduled actions go by it.
	Begin time.Time

	// Rates is the arrival rate in each second, requests per second.
	Rates []float64
	// Demand is the CPU time of one request, mean and coefficient of
	// variation; it is lognormal.
	Demand time.Duration
	CV     float64

	// TaskVCPU is what one task may use.
	TaskVCPU float64
	// Quota enforces TaskVCPU as Linux does; its zero value shares it evenly.
	Quota Quota
	// MemoryPerTask is what one task may use, in bytes; 0 is not measured.
	// It uses MemoryIdle, and MemoryPerRequest for each request in flight.
	MemoryPerTask, MemoryIdle, MemoryPerRequest int64

	// Start is the time from the order of a task to its first request; with
	// StartJitter each start takes up to that much longer, evenly spread.
	Start, StartJitter time.Duration
	// StartCPU is the part of its vCPU that a task uses while it starts, 0 to 1.
	StartCPU float64
	// Routing is how the balancer picks a task.
	Routing Routing
	// PerTask is how many requests a task takes at once; what exceeds it
	// waits at the balancer, first come first served, as does everything
	// while no task is ready; see Waker. 0 leaves it to a Scaler that is an Admitter, else
	// it is no limit.
	PerTask int
	// Unbalanced hides the traffic from the scaler, as for a service without
	// a load balancer: it sees what tasks use, not what arrives.
	Unbalanced bool
	// Initial is how many tasks run at the beginning.
	Initial int
	Faults  Faults

	Scaler Scaler
	// SLO is the latency over which a request counts as late.
	SLO time.Duration
}

// mostRate is a rate of which a second takes about a second to simulate.
const mostRate = 1e7

// Validate names everything that is wrong with c.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	for i, r := range c.Rates {
		if !(r >= 0 && r <= mostRate) {
			errs = append(errs, fmt.Errorf("rate of second %d: %v is not a number from 0 to %g", i, r, float64(mostRate)))
			break
		}
	}
	positive := func(v float64) bool { return v > 0 && !math.IsInf(v, 0) }
	check(len(c.Rates) > 0, "no load: the rates are empty")
	check(c.Demand > 0, "demand %v must be above 0", c.Demand)
	check(c.CV >= 0 && !math.IsInf(c.CV, 0), "coefficient of variation %v must not be negative", c.CV)
	check(positive(c.TaskVCPU), "task size %v vCPU must be above 0", c.TaskVCPU)
	check(c.MemoryPerTask >= 0 && c.MemoryIdle >= 0 && c.MemoryPerRequest >= 0, "memory must not be negative")
	check(c.Start >= 0, "start-up time %v must not be negative", c.Start)
	check(c.StartJitter >= 0, "start-up jitter %v must not be negative", c.StartJitter)
	check(c.StartCPU >= 0 && c.StartCPU <= 1, "start-up CPU %v must lie between 0 and 1", c.StartCPU)
	check(c.PerTask >= 0, "limit per task %d must not be negative", c.PerTask)
	check(c.Initial >= 0, "initial count %d must not be negative", c.Initial)
	check(c.Scaler != nil, "no scaler")
	switch c.Routing {
	case LeastInFlight, RoundRobin, Random, PowerOfTwo:
	default:
		errs = append(errs, fmt.Errorf("routing %q: want %s, %s, %s or nothing", c.Routing, RoundRobin, Random, PowerOfTwo))
	}
	errs = append(errs, c.Quota.validate(), c.Faults.validate())
	return errors.Join(errs...)
}
