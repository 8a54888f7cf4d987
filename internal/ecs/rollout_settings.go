package ecs

import (
	"time"

	"neargate/internal/model"
)

// RolloutSettings are how a deployment goes; nil leaves a part as it is.
type RolloutSettings struct {
	MaximumPercent, MinimumHealthyPercent *int
	Breaker                               *Breaker

	Strategy *string        // ROLLING, BLUE_GREEN, LINEAR or CANARY
	Bake     *time.Duration // after the traffic has been shifted
	Linear   *Steps
	Canary   *Steps
	Hooks    []HookRequest // empty but not nil: none
	Alarms   *model.DeploymentAlarms
	Early    *EarlySuccessRequest
}

// Steps is how traffic is shifted in steps; nil is AWS's default.
type Steps struct {
	Percent *float64
	Bake    *time.Duration
}

// HookRequest is a lifecycle hook as a caller asks for it.
type HookRequest struct {
	TargetType string // "" is AWS_LAMBDA
	Stages     []string
	Timeout    *time.Duration // nil is 24 h
	Action     string         // "" is ROLLBACK
}

// EarlySuccessRequest is when a rolling update succeeds early, as a caller asks
// for it.
type EarlySuccessRequest struct {
	Enable         bool
	HealthyPercent *int
	Cleanup        string // BLOCKING or DEFERRED
}

// Breaker is a deployment's circuit breaker.
type Breaker struct {
	Enable, Rollback bool
	KeepFailures     bool       // a healthy task does not reset the failure count
	Threshold        *Threshold // nil is 50 %
}

// Threshold is how many failed tasks trip the circuit breaker.
type Threshold struct {
	Type  string // BOUNDED_PERCENT, UNBOUNDED_PERCENT or COUNT
	Value int
}

func (s RolloutSettings) apply(cfg *model.RolloutConfig) error {
	set(&cfg.MaximumPercent, s.MaximumPercent)
	set(&cfg.MinimumHealthyPercent, s.MinimumHealthyPercent)
	if b := s.Breaker; b != nil {
		cfg.CircuitBreaker, cfg.Rollback, cfg.KeepFailures = b.Enable, b.Rollback, b.KeepFailures
		if b.Threshold != nil {
			if err := b.Threshold.check(); err != nil {
				return err
			}
			cfg.ThresholdType, cfg.ThresholdValue = b.Threshold.Type, b.Threshold.Value
		}
	}
	if err := s.applyStrategy(&cfg.Strategy); err != nil {
		return err
	}
	switch {
	case cfg.Strategy.Early.Enable && cfg.Strategy.Early.HealthyPercent < cfg.MinimumHealthyPercent:
		return invalid("healthyPercent must be greater than or equal to minimumHealthyPercent.")
	case cfg.MaximumPercent < 100:
		return invalid("maximumPercent must be at least 100")
	case cfg.MinimumHealthyPercent < 0:
		return invalid("minimumHealthyPercent must be at least 0")
	case cfg.MinimumHealthyPercent > 100:
		return invalid("minimumHealthyPercent must be at most 100")
	case cfg.MaximumPercent == 100 && cfg.MinimumHealthyPercent == 100:
		return invalid("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
	}
	return nil
}

func (t Threshold) check() error {
	switch t.Type {
	case "", "BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT":
	default:
		return invalid("Invalid deployment circuit breaker threshold type.")
	}
	if bounded := t.Type == "" || t.Type == "BOUNDED_PERCENT"; t.Value < 1 || bounded && t.Value > 100 {
		return invalid("Invalid deployment circuit breaker threshold value.")
	}
	return nil
}
