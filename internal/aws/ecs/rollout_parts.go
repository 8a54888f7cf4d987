package ecs

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	catalogue "neargate/internal/ecs"
	"neargate/internal/model"
)

func readRollout(in *types.DeploymentConfiguration) catalogue.RolloutSettings {
	if in == nil {
		return catalogue.RolloutSettings{}
	}
	out := catalogue.RolloutSettings{
		MaximumPercent: number(in.MaximumPercent), MinimumHealthyPercent: number(in.MinimumHealthyPercent),
		Strategy: enum(in.Strategy), Bake: minutes(in.BakeTimeInMinutes), Hooks: readHooks(in.LifecycleHooks),
	}
	if b := in.DeploymentCircuitBreaker; b != nil {
		out.Breaker = &catalogue.Breaker{Enable: b.Enable, Rollback: b.Rollback, KeepFailures: !deref(b.ResetOnHealthyTask, true)}
		if t := b.ThresholdConfiguration; t != nil {
			out.Breaker.Threshold = &catalogue.Threshold{Type: string(t.Type), Value: int(t.Value)}
		}
	}
	if c := in.LinearConfiguration; c != nil {
		out.Linear = &catalogue.Steps{Percent: c.StepPercent, Bake: minutes(c.StepBakeTimeInMinutes)}
	}
	if c := in.CanaryConfiguration; c != nil {
		out.Canary = &catalogue.Steps{Percent: c.CanaryPercent, Bake: minutes(c.CanaryBakeTimeInMinutes)}
	}
	if a := in.Alarms; a != nil {
		out.Alarms = &model.DeploymentAlarms{Names: a.AlarmNames, Enable: a.Enable, Rollback: a.Rollback}
	}
	if e := in.EarlySuccessCriteria; e != nil {
		out.Early = &catalogue.EarlySuccessRequest{Enable: e.Enable, HealthyPercent: number(e.HealthyPercent), Cleanup: string(e.SourceServiceRevisionCleanup)}
	}
	return out
}

// readHooks returns nil for none, but for an empty list an empty list.
func readHooks(in []types.DeploymentLifecycleHook) []catalogue.HookRequest {
	if in == nil {
		return nil
	}
	all := make([]catalogue.HookRequest, len(in))
	for i, h := range in {
		all[i] = catalogue.HookRequest{TargetType: string(h.TargetType)}
		for _, stage := range h.LifecycleStages {
			all[i].Stages = append(all[i].Stages, string(stage))
		}
		if c := h.TimeoutConfiguration; c != nil {
			all[i].Timeout, all[i].Action = minutes(c.TimeoutInMinutes), string(c.Action)
		}
	}
	return all
}

func minutes(in *int32) *time.Duration {
	if in == nil {
		return nil
	}
	return new(time.Duration(*in) * time.Minute)
}

func inMinutes(d time.Duration) *int32 { return aws.Int32(int32(d / time.Minute)) }

// rolloutOf answers a configuration with AWS's defaults.
func rolloutOf(cfg model.RolloutConfig) *types.DeploymentConfiguration {
	threshold := &types.ThresholdConfiguration{Type: types.ThresholdTypeBoundedPercent, Value: 50}
	if cfg.ThresholdValue > 0 {
		threshold.Type, threshold.Value = types.ThresholdType(cfg.ThresholdType), int32(cfg.ThresholdValue)
	}
	s := cfg.Strategy
	out := &types.DeploymentConfiguration{
		DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{
			Enable: cfg.CircuitBreaker, Rollback: cfg.Rollback, ResetOnHealthyTask: aws.Bool(!cfg.KeepFailures), ThresholdConfiguration: threshold,
		},
		MaximumPercent: aws.Int32(int32(cfg.MaximumPercent)), MinimumHealthyPercent: aws.Int32(int32(cfg.MinimumHealthyPercent)),
		Strategy: types.DeploymentStrategyRolling, BakeTimeInMinutes: inMinutes(s.Bake),
	}
	if s.Kind != "" {
		out.Strategy = types.DeploymentStrategy(s.Kind)
	}
	percent := aws.Float64(float64(s.Step) / 10)
	switch s.Kind {
	case model.Linear:
		out.LinearConfiguration = &types.LinearConfiguration{StepPercent: percent, StepBakeTimeInMinutes: inMinutes(s.StepBake)}
	case model.Canary:
		out.CanaryConfiguration = &types.CanaryConfiguration{CanaryPercent: percent, CanaryBakeTimeInMinutes: inMinutes(s.StepBake)}
	}
	for _, h := range s.Hooks {
		out.LifecycleHooks = append(out.LifecycleHooks, hookOf(h))
	}
	if a := s.Alarms; a.Enable || a.Rollback || len(a.Names) > 0 {
		out.Alarms = &types.DeploymentAlarms{AlarmNames: append([]string{}, a.Names...), Enable: a.Enable, Rollback: a.Rollback}
	}
	if e := s.Early; e.Enable {
		out.EarlySuccessCriteria = &types.DeploymentEarlySuccessCriteria{
			Enable: true, HealthyPercent: aws.Int32(int32(e.HealthyPercent)), SourceServiceRevisionCleanup: types.ServiceRevisionCleanupBlocking,
		}
		if e.Deferred {
			out.EarlySuccessCriteria.SourceServiceRevisionCleanup = types.ServiceRevisionCleanupDeferred
		}
	}
	return out
}

func hookOf(h model.Hook) types.DeploymentLifecycleHook {
	out := types.DeploymentLifecycleHook{
		TargetType: types.DeploymentLifecycleHookTargetTypePause,
		TimeoutConfiguration: &types.DeploymentLifecycleHookTimeoutConfiguration{
			TimeoutInMinutes: inMinutes(h.Timeout), Action: types.DeploymentLifecycleHookAction(h.Action),
		},
	}
	for _, stage := range h.Stages {
		out.LifecycleStages = append(out.LifecycleStages, types.DeploymentLifecycleHookStage(stage))
	}
	return out
}
