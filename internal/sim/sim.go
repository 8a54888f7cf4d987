// Package sim runs a service in virtual time: requests arrive by a seeded
// Poisson process, tasks serve them as processor-sharing servers, a balancer
// spreads them, and once a second a Scaler sees what the live autoscaler would
// see and says how many tasks there should be.
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
// At as the virtual time since the Unix epoch, and returns the desired count.
// The simulator holds the answer to at least 0.
type Scaler interface {
	Second(s model.ServiceSecond) (desired int, reason string)
}

// Config is a load, a plant and a scaler.
type Config struct {
	Seed uint64

	// Rates is the arrival rate in each second, requests per second.
	Rates []float64
	// Demand is the CPU time of one request, mean and coefficient of
	// variation; it is lognormal.
	Demand time.Duration
	CV     float64

	// TaskVCPU is what one task may use.
	TaskVCPU float64
	// Start is the time from the order of a task to its first request.
	Start time.Duration
	// PerTask is how many requests a task takes at once; what exceeds it
	// waits at the balancer, first come first served. 0 is no limit.
	PerTask int
	// Initial is how many tasks run at the beginning.
	Initial int

	Scaler Scaler
	// SLO is the latency over which a request counts as late.
	SLO time.Duration
}

// Validate names everything that is wrong with c.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	for i, r := range c.Rates {
		if !(r >= 0) || math.IsInf(r, 0) {
			errs = append(errs, fmt.Errorf("rate of second %d: %v is not a number of at least 0", i, r))
			break
		}
	}
	check(len(c.Rates) > 0, "no load: the rates are empty")
	check(c.Demand > 0, "demand %v must be above 0", c.Demand)
	check(c.CV >= 0, "coefficient of variation %v must not be negative", c.CV)
	check(c.TaskVCPU > 0, "task size %v vCPU must be above 0", c.TaskVCPU)
	check(c.Start >= 0, "start-up time %v must not be negative", c.Start)
	check(c.PerTask >= 0, "limit per task %d must not be negative", c.PerTask)
	check(c.Initial >= 0, "initial count %d must not be negative", c.Initial)
	check(c.Scaler != nil, "no scaler")
	return errors.Join(errs...)
}

// Second is one second of a run.
type Second struct {
	Rate                       float64 // true arrival rate
	Desired                    int
	Running, Starting, Drained int // at the end of the second; Drained are still serving out
	Queued, InFlight           int
	Completed, Late            int
}

// Order is a change of the desired count.
type Order struct {
	At       int // the second after which it was given
	From, To int
	Reason   string
}

// Result is what a run shows.
type Result struct {
	Seconds     []Second
	Orders      []Order
	Requests    int
	Completed   int
	Late        int       // completed after more than the SLO, or still waiting at the end for longer
	TaskSeconds float64   // of all tasks, starting and draining included
	Latencies   Histogram // seconds, of completed requests
}

// LatePercent is the share of requests that broke the SLO.
func (r Result) LatePercent() float64 {
	if r.Requests == 0 {
		return 0
	}
	return 100 * float64(r.Late) / float64(r.Requests)
}
