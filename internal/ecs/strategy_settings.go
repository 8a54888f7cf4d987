package ecs

import (
	"math"
	"slices"
	"time"

	"neargate/internal/model"
)

// maxBake bounds all bake times. [API_DeploymentConfiguration].
const maxBake = 24 * time.Hour

// linearDefault is what API_LinearConfiguration says.
func linearDefault() steps { return steps{percent: 10, bake: 6 * time.Minute, least: 3} }

// canaryDefault is what API_CanaryConfiguration says.
func canaryDefault() steps { return steps{percent: 5, bake: 10 * time.Minute, least: 0.1} }

// steps are the defaults of a configuration and the least percentage it takes.
type steps struct {
	percent, least float64
	bake           time.Duration
}

// applyStrategy changes the strategy as asked.
func (s RolloutSettings) applyStrategy(to *model.Strategy) error {
	was := to.Kind
	set(&to.Kind, s.Strategy)
	set(&to.Bake, s.Bake)
	switch {
	case !slices.Contains([]string{"", model.Rolling, model.BlueGreen, model.Linear, model.Canary}, to.Kind):
		return invalid("Invalid deployment strategy. Valid values are: ROLLING, BLUE_GREEN, LINEAR, CANARY")
	case to.Bake < 0 || to.Bake > maxBake:
		return invalid("bakeTimeInMinutes must be between 0 and 1440.")
	case s.Linear != nil && to.Kind != model.Linear:
		return invalid("linearConfiguration is only valid when the deployment strategy is LINEAR.")
	case s.Canary != nil && to.Kind != model.Canary:
		return invalid("canaryConfiguration is only valid when the deployment strategy is CANARY.")
	}
	return firstError(s.applySteps(to, to.Kind != was), s.applyHooks(to), s.applyAlarms(to), s.applyEarly(to))
}

func (s RolloutSettings) applySteps(to *model.Strategy, changed bool) error {
	switch to.Kind {
	case model.Linear:
		if changed || s.Linear != nil {
			return s.Linear.apply(to, linearDefault(), "stepPercent", "stepBakeTimeInMinutes")
		}
	case model.Canary:
		if changed || s.Canary != nil {
			return s.Canary.apply(to, canaryDefault(), "canaryPercent", "canaryBakeTimeInMinutes")
		}
	default:
		to.Step, to.StepBake = 0, 0
	}
	return nil
}

func (s *Steps) apply(to *model.Strategy, otherwise steps, percentName, bakeName string) error {
	percent, bake := otherwise.percent, otherwise.bake
	if s != nil {
		set(&percent, s.Percent)
		set(&bake, s.Bake)
	}
	tenths := math.Round(percent * 10)
	switch {
	case percent < otherwise.least || percent > 100 || math.Abs(tenths-percent*10) > 1e-6:
		return invalid("%s must be a multiple of 0.1 between %.1f and 100.0.", percentName, otherwise.least)
	case bake < 0 || bake > maxBake:
		return invalid("%s must be between 0 and 1440.", bakeName)
	}
	to.Step, to.StepBake = int(tenths), bake
	return nil
}

// maxPause is how long a pause may last. [pause-lifecycle-hooks].
const maxPause = 14 * 24 * time.Hour

// pausable are the stages at which hooks may pause a deployment.
func pausable(kind string) []model.Stage {
	if kind == "" || kind == model.Rolling {
		return []model.Stage{model.StagePreScaleUp, model.StagePostScaleUp}
	}
	return []model.Stage{
		model.StagePreScaleUp, model.StagePostScaleUp, model.StagePostTestShift, model.StagePreProductionShift, model.StagePostProduction,
	}
}

func (s RolloutSettings) applyHooks(to *model.Strategy) error {
	if s.Hooks != nil {
		to.Hooks = nil
	}
	for _, req := range s.Hooks {
		h, err := req.hook()
		if err != nil {
			return err
		}
		to.Hooks = append(to.Hooks, h)
	}
	for _, h := range to.Hooks {
		for _, stage := range h.Stages {
			if !slices.Contains(pausable(to.Kind), stage) {
				return invalid("Invalid lifecycle stage provided for Pause Hook")
			}
		}
	}
	return nil
}

func (req HookRequest) hook() (model.Hook, error) {
	h := model.Hook{Timeout: 24 * time.Hour, Action: model.OrderRollback}
	switch req.TargetType {
	case "PAUSE":
	case "", "AWS_LAMBDA":
		return h, unsupported("Lifecycle hooks with targetType AWS_LAMBDA are not supported by Neargate: it runs no Lambda functions. Use PAUSE.")
	default:
		return h, invalid("Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE")
	}
	set(&h.Timeout, req.Timeout)
	switch {
	case len(req.Stages) == 0:
		return h, invalid("lifecycleStages can not be empty.")
	case h.Timeout < time.Minute || h.Timeout > maxPause:
		return h, invalid("timeoutInMinutes must be between 1 and 20160.")
	case req.Action == model.PauseContinue:
		h.Action = model.PauseContinue
	case req.Action != "" && req.Action != model.OrderRollback:
		return h, invalid("Invalid timeout action. Valid values are: CONTINUE, ROLLBACK")
	}
	for _, stage := range req.Stages {
		h.Stages = append(h.Stages, model.Stage(stage))
	}
	return h, nil
}

func (s RolloutSettings) applyAlarms(to *model.Strategy) error {
	set(&to.Alarms, s.Alarms)
	if to.Alarms.Enable && len(to.Alarms.Names) == 0 {
		return invalid("alarmNames can not be empty when deployment alarms are enabled.")
	}
	return nil
}

func (s RolloutSettings) applyEarly(to *model.Strategy) error {
	if to.Shifts() && (to.Early.Enable || s.Early != nil && s.Early.Enable) {
		return invalid("earlySuccessCriteria is only valid when the deployment strategy is ROLLING.")
	}
	if s.Early == nil {
		return nil
	}
	to.Early = model.EarlySuccess{}
	if !s.Early.Enable {
		return nil
	}
	switch {
	case s.Early.HealthyPercent == nil || *s.Early.HealthyPercent < 0 || *s.Early.HealthyPercent > 100:
		return invalid("healthyPercent must be between 0 and 100.")
	case s.Early.Cleanup != "BLOCKING" && s.Early.Cleanup != "DEFERRED":
		return invalid("sourceServiceRevisionCleanup must be one of [BLOCKING,DEFERRED].")
	}
	to.Early = model.EarlySuccess{Enable: true, HealthyPercent: *s.Early.HealthyPercent, Deferred: s.Early.Cleanup == "DEFERRED"}
	return nil
}
