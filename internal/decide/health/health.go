// Package health decides whether a target may serve, from the results of its
// probes, and when to probe it next.
//
//	          a success                 UnhealthyThreshold failures in a row
//	initial ─────────────▶ healthy ──────────────────────────────▶ unhealthy
//	   │                      ▲  HealthyThreshold successes in a row  │ ▲
//	   │                      └───────────────────────────────────────┘ │
//	   └────────────────────────────────────────────────────────────────┘
//	     still failing after UnhealthyThreshold × Interval
//
// It is pure: the time is an argument, states are values.
package health

import (
	"fmt"
	"time"

	"neargate/internal/model"
)

// The states that probes lead to, in ELB's words.
const (
	Initial   = "initial"
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
)

// Outcome is how a probe ended.
type Outcome int

// The outcomes of a probe.
const (
	Answered Outcome = iota // with a status code
	TimedOut                // no whole answer within the health check's timeout
	Broken                  // no connection, or no readable answer on it
)

// Result is what one probe saw. Code is the status code when Outcome is Answered.
type Result struct {
	Outcome Outcome
	Code    int
}

// State is the health of one target. The zero value is not valid: begin with New.
type State struct {
	Name        string // Initial, Healthy or Unhealthy
	Reason      string // ELB's reason code; "" when healthy
	Description string
	Since       time.Time // when Name was entered
	Streak      int       // results in a row that speak against Name
}

// New is the state of a target that was registered at now.
func New(now time.Time) State {
	return State{Name: Initial, Reason: "Elb.RegistrationInProgress", Description: "Target registration is in progress", Since: now}
}

// Observe returns the state after a probe that ended at now with result r.
//
// A new target needs one success. Its failures do not count until the time in
// which AWS would have made UnhealthyThreshold probes is over: in that time we
// probe much more often, and must not judge sooner for it.
func (s State) Observe(hc model.HealthCheck, r Result, now time.Time) State {
	passed := r.Outcome == Answered && Matches(hc.Matcher, r.Code)
	switch {
	case passed && s.Name == Healthy:
		s.Streak = 0
		return s
	case passed && s.Name == Initial:
		return State{Name: Healthy, Since: now}
	case passed:
		if s.Streak++; s.Streak >= hc.HealthyThreshold {
			return State{Name: Healthy, Since: now}
		}
		return s
	case s.Name == Healthy:
		if s.Streak++; s.Streak < hc.UnhealthyThreshold {
			return s
		}
		return failed(r, now)
	case s.Name == Initial:
		if now.Sub(s.Since) < time.Duration(hc.UnhealthyThreshold)*hc.Interval {
			s.Reason, s.Description = "Elb.InitialHealthChecking", "Initial health checks in progress"
			return s
		}
		return failed(r, now)
	}
	return failed(r, s.Since)
}

// failed is the unhealthy state with the words for the last failure.
func failed(r Result, since time.Time) State {
	s := State{Name: Unhealthy, Since: since}
	switch r.Outcome {
	case Answered:
		s.Reason = "Target.ResponseCodeMismatch"
		s.Description = fmt.Sprintf("Health checks failed with these codes: [%d]", r.Code)
	case TimedOut:
		s.Reason, s.Description = "Target.Timeout", "Request timed out"
	case Broken:
		s.Reason, s.Description = "Target.FailedHealthChecks", "Health checks failed"
	}
	return s
}
