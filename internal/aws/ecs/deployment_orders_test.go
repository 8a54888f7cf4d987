package ecs

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestDeploymentOrdersAreRefused(t *testing.T) {
	s, _ := ready(t)
	const gone = "arn:aws:ecs:us-east-1:000000000000:service-deployment/default/web/NCWGC2ZR-taawPAYrIaU5"
	const hook = "ecs-pause-e7tK9G_WRJqNF_EOMjztDXfKenlJuEUVjsNStf4WLKw"
	_, stop := s.stopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: aws.String(gone)})
	_, kind := s.stopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: aws.String(gone), StopType: "PAUSE"})
	_, on := s.continueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{ServiceDeploymentArn: aws.String(gone), HookId: aws.String(hook)})
	_, id := s.continueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{ServiceDeploymentArn: aws.String(gone), HookId: aws.String("x")})
	_, many := s.updateTaskProtection(t.Context(), &ecs.UpdateTaskProtectionInput{Tasks: make([]string, 11)})
	_, long := s.updateTaskProtection(t.Context(), &ecs.UpdateTaskProtectionInput{Tasks: []string{"a"}, ProtectionEnabled: true, ExpiresInMinutes: aws.Int32(2881)})
	for _, tt := range []struct {
		err  error
		want string
	}{
		{stop, "ServiceDeploymentNotFoundException: The service deployment does not exist."},
		{kind, "InvalidParameterException: Invalid stopType. Valid values are: ABORT, ROLLBACK"},
		{on, "ServiceDeploymentNotFoundException: The service deployment does not exist."},
		{id, "InvalidParameterException: Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}"},
		{many, "InvalidParameterException: Tasks must have between 1 and 10 items."},
		{long, "InvalidParameterException: expiresInMinutes must be between 1 and 2880."},
	} {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) {
			t.Errorf("got %v, want %s", tt.err, tt.want)
		}
	}
}

func TestDescribedStrategy(t *testing.T) {
	in := &types.DeploymentConfiguration{
		MaximumPercent: aws.Int32(200), MinimumHealthyPercent: aws.Int32(100), Strategy: types.DeploymentStrategyRolling, BakeTimeInMinutes: aws.Int32(3),
		DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{
			Enable: true, Rollback: true, ResetOnHealthyTask: aws.Bool(true), ThresholdConfiguration: &types.ThresholdConfiguration{Type: types.ThresholdTypeCount, Value: 2},
		},
		Alarms: &types.DeploymentAlarms{AlarmNames: []string{"errors"}, Enable: true, Rollback: true},
		LifecycleHooks: []types.DeploymentLifecycleHook{{
			TargetType: types.DeploymentLifecycleHookTargetTypePause, LifecycleStages: []types.DeploymentLifecycleHookStage{types.DeploymentLifecycleHookStagePreScaleUp},
			TimeoutConfiguration: &types.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(5), Action: types.DeploymentLifecycleHookActionContinue},
		}},
		EarlySuccessCriteria: &types.DeploymentEarlySuccessCriteria{
			Enable: true, HealthyPercent: aws.Int32(100), SourceServiceRevisionCleanup: types.ServiceRevisionCleanupDeferred,
		},
	}
	s, _ := ready(t)
	out, err := through(t, s, "CreateService", s.createService, creation(func(c *ecs.CreateServiceInput) { c.DeploymentConfiguration = in }))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, out.Service.DeploymentConfiguration, cmpopts.IgnoreUnexported(
		types.DeploymentConfiguration{}, types.DeploymentCircuitBreaker{}, types.ThresholdConfiguration{}, types.DeploymentAlarms{},
		types.DeploymentLifecycleHook{}, types.DeploymentLifecycleHookTimeoutConfiguration{}, types.DeploymentEarlySuccessCriteria{},
	)); diff != "" {
		t.Errorf("(-sent +described):\n%s", diff)
	}
}
