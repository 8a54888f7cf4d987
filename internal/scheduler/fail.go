package scheduler

import (
	"context"
	"strings"
	"time"

	"neargate/internal/decide/rollout/strategy"
	"neargate/internal/model"
)

// fail ends the primary deployment badly and goes back to an earlier one, if
// the service is to.
func (o *owner) fail(ctx context.Context, svc model.Service, f strategy.Failure, alarms []string, now time.Time) error {
	cluster, name := o.name()
	failure := failureOf(f, alarms)
	back, err := o.s.records.FailDeployment(ctx, cluster, name, failure)
	if err != nil {
		return err
	}
	o.journal.say(now, "(deployment %s) deployment failed: %s", svc.Deployments[0].ID, eventOf(f, failure))
	if back != "" {
		o.journal.say(now, "rolling back to deployment %s.", back)
	}
	return nil
}

// failureOf tells why a deployment fails, in ECS's words where they are known.
func failureOf(f strategy.Failure, alarms []string) model.DeploymentFailure {
	why, of := "", "ECS deployment circuit breaker: tasks failed to start."
	switch f.Cause {
	case strategy.Tripped:
		why = "because the circuit breaker threshold was exceeded."
	case strategy.Alarmed:
		why, of = "because of the alarms "+strings.Join(alarms, ", ")+".", "ECS deployment alarms: alarm detected."
	case strategy.Ordered:
		why, of = "because it was requested.", "ECS deployment stopped by request."
	case strategy.TimedOut:
		why = "because " + f.Detail + " pause hook timed out."
	case strategy.Misrouted:
		why = "because of invalid networking configuration. " + f.Detail
	case strategy.Lost:
		why = "because none of the tasks of the new service revision is healthy."
	}
	out := model.DeploymentFailure{RolloutReason: of, StatusReason: "Service deployment rolled back " + why, Tripped: f.Cause == strategy.Tripped, Rollback: f.Rollback}
	if !f.Rollback {
		out.StatusReason = "Service deployment stopped " + why
	}
	if f.Cause == strategy.Alarmed {
		out.Alarms = alarms
	}
	if f.Cause > strategy.Ordered {
		out.RolloutReason = out.StatusReason
	}
	return out
}

// eventOf is what the service's event says of a failure.
func eventOf(f strategy.Failure, failure model.DeploymentFailure) string {
	switch f.Cause {
	case strategy.Tripped:
		return "tasks failed to start."
	case strategy.Alarmed:
		return "alarm detected."
	default:
		return failure.StatusReason
	}
}
