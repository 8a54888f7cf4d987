package strategy

import (
	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// Failure is the end of a deployment.
type Failure struct {
	Cause    Cause
	Detail   string // of the cause: alarms, stage, problem
	Rollback bool   // go back to the last revision that was deployed
}

// Cause is why a deployment fails.
type Cause int

// The causes.
const (
	Tripped   Cause = iota // the circuit breaker: tasks failed to start
	Alarmed                // an alarm of the deployment is in ALARM
	Ordered                // somebody stopped it
	TimedOut               // a pause expired
	Misrouted              // the listener rules are not as they must be
	Lost                   // it has production traffic and no healthy task
)

// failure returns why the primary deployment fails now; nil: it does not.
func (m *machine) failure() *Failure {
	svc := m.in.Service
	switch {
	case m.p.Ordered == model.OrderRollback:
		return &Failure{Cause: Ordered, Rollback: true}
	case m.p.Ordered == model.OrderAbort:
		return &Failure{Cause: Ordered}
	case svc.Rollout.CircuitBreaker && m.primary.FailedTasks >= rollout.Threshold(svc.Rollout, svc.DesiredCount):
		return &Failure{Cause: Tripped, Rollback: svc.Rollout.Rollback}
	case m.p.Back:
		return nil
	case m.p.Stage != "" && m.strategy.Alarms.Enable && !m.p.AlarmsOff && len(m.in.Alarms) > 0:
		return &Failure{Cause: Alarmed, Rollback: m.strategy.Alarms.Rollback}
	case m.expired():
		return &Failure{Cause: TimedOut, Detail: string(m.p.Stage), Rollback: true}
	case m.in.Traffic.Problem != "":
		return &Failure{Cause: Misrouted, Detail: m.in.Traffic.Problem, Rollback: true}
	case m.in.Traffic.Production > 0 && m.p.Shifts > 0 && m.target.healthy == 0 && m.old.healthy > 0:
		return &Failure{Cause: Lost, Rollback: true}
	}
	return nil
}

// expired reports whether a pause has expired that is to end the deployment.
func (m *machine) expired() bool {
	for _, p := range m.p.Pauses {
		if p.Status == model.PauseAwaiting && p.Action == model.OrderRollback && !m.in.Now.Before(p.ExpiresAt) {
			return true
		}
	}
	return false
}
