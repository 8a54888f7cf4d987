package ecs

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

const aRule = "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener-rule/app/web/1/2/3"

// shifts makes a request one for a service between whose target groups traffic
// is shifted.
func shifts(kind string, change ...func(*CreateServiceRequest)) func(*CreateServiceRequest) {
	return func(req *CreateServiceRequest) {
		req.Settings.Rollout.Strategy = &kind
		lb := &req.Settings.LoadBalancers[0]
		lb.AlternateARN, lb.ProductionRule, lb.TestRule, lb.RoleARN = "unused", aRule, aRule+"4", "arn:aws:iam::000000000000:role/ecs"
		for _, c := range change {
			c(req)
		}
	}
}

func TestStrategiesAreRefusedInAWSWords(t *testing.T) {
	lb := func(change func(*model.ServiceLoadBalancer)) func(*CreateServiceRequest) {
		return shifts(model.BlueGreen, func(req *CreateServiceRequest) { change(&req.Settings.LoadBalancers[0]) })
	}
	rollout := func(kind string, change func(*RolloutSettings)) func(*CreateServiceRequest) {
		return shifts(kind, func(req *CreateServiceRequest) { change(&req.Settings.Rollout) })
	}
	hook := func(h HookRequest) func(*CreateServiceRequest) {
		return rollout(model.BlueGreen, func(s *RolloutSettings) { s.Hooks = []HookRequest{h} })
	}
	pre := []string{"PRE_SCALE_UP"}
	tests := []struct {
		name   string
		change func(*CreateServiceRequest)
		want   string
	}{
		{"unknown strategy", shifts("SWIFT"), "Invalid deployment strategy."},
		{"no advanced configuration", func(req *CreateServiceRequest) { req.Settings.Rollout.Strategy = new(model.Canary) }, "advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy"},
		{"one of two with advanced configuration", shifts(model.Linear, func(req *CreateServiceRequest) {
			req.Settings.LoadBalancers = append(req.Settings.LoadBalancers, model.ServiceLoadBalancer{TargetGroupARN: "good", ContainerName: "app", ContainerPort: 8080})
		}), "Either all or none of the provided loadBalancers must have advancedConfiguration defined"},
		{"listener instead of a rule", lb(func(lb *model.ServiceLoadBalancer) {
			lb.ProductionRule = "arn:aws:elasticloadbalancing:us-east-1:0:listener/app/web/1/2"
		}), "productionListenerRule has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: arn:"},
		{"one rule for both", lb(func(lb *model.ServiceLoadBalancer) { lb.TestRule = lb.ProductionRule }), "The following rules cannot be used as both production and test listener rules: " + aRule},
		{"one group for both", lb(func(lb *model.ServiceLoadBalancer) { lb.AlternateARN = "good" }), "Duplicate targetGroupArn found: good"},
		{"alternate group missing", lb(func(lb *model.ServiceLoadBalancer) { lb.AlternateARN = "none" }), "The target group with targetGroupArn none does not exist."},
		{"test rule missing", lb(func(lb *model.ServiceLoadBalancer) { lb.TestRule = "" }), "For Application LoadBalancer, testListenerRule is required when productionListenerRule is not associated with both targetGroup and alternateTargetGroup"},
		{"baked too long", rollout(model.BlueGreen, func(s *RolloutSettings) { s.Bake = new(25 * time.Hour) }), "bakeTimeInMinutes must be between 0 and 1440."},
		{"step too small", rollout(model.Linear, func(s *RolloutSettings) { s.Linear = &Steps{Percent: new(2.9)} }), "stepPercent must be a multiple of 0.1 between 3.0 and 100.0."},
		{"step too fine", rollout(model.Canary, func(s *RolloutSettings) { s.Canary = &Steps{Percent: new(5.05)} }), "canaryPercent must be a multiple of 0.1 between 0.1 and 100.0."},
		{"steps of another strategy", rollout(model.BlueGreen, func(s *RolloutSettings) { s.Canary = &Steps{} }), "canaryConfiguration is only valid when the deployment strategy is CANARY."},
		{"hook of Lambda", hook(HookRequest{Stages: pre}), "targetType AWS_LAMBDA are not supported by Neargate"},
		{"hook of a kind that there is not", hook(HookRequest{TargetType: "HTTP", Stages: pre}), "Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE"},
		{"pause in a shift", hook(HookRequest{TargetType: "PAUSE", Stages: []string{"PRODUCTION_TRAFFIC_SHIFT"}}), "Invalid lifecycle stage provided for Pause Hook"},
		{"pause too long", hook(HookRequest{TargetType: "PAUSE", Stages: pre, Timeout: new(15 * 24 * time.Hour)}), "timeoutInMinutes must be between 1 and 20160."},
		{"early success of blue/green", rollout(model.BlueGreen, func(s *RolloutSettings) { s.Early = &EarlySuccessRequest{Enable: true} }), "earlySuccessCriteria is only valid when the deployment strategy is ROLLING."},
		{"early success below the minimum", rollout(model.Rolling, func(s *RolloutSettings) {
			s.Early = &EarlySuccessRequest{Enable: true, HealthyPercent: new(99), Cleanup: "DEFERRED"}
		}), "healthyPercent must be greater than or equal to minimumHealthyPercent."},
		{"alarms without names", rollout(model.Rolling, func(s *RolloutSettings) { s.Alarms = &model.DeploymentAlarms{Enable: true} }), "alarmNames can not be empty"},
	}
	r := newRig(t)
	before := r.content()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := r.CreateService(t.Context(), creation(tt.change))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	if diff := cmp.Diff(before, r.content()); diff != "" {
		t.Errorf("refusals changed (-before +after):\n%s", diff)
	}
}

func TestStrategyDefaults(t *testing.T) {
	tests := map[string]model.Strategy{
		model.BlueGreen: {Kind: model.BlueGreen},
		model.Linear:    {Kind: model.Linear, Step: 100, StepBake: 6 * time.Minute},
		model.Canary:    {Kind: model.Canary, Step: 50, StepBake: 10 * time.Minute},
	}
	for kind, want := range tests {
		t.Run(kind, func(t *testing.T) {
			r := newRig(t)
			svc := r.create(shifts(kind))
			if diff := cmp.Diff(want, svc.Deployments[0].Strategy); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := r.ServiceDeployments(svc)[0].Status; got != model.DeploymentPending {
				t.Errorf("the deployment is %s before anything is done", got)
			}
		})
	}
}

// A newer deployment ends the one before it; one that has nothing left but to
// remove what it replaced has succeeded.
func TestNewerDeploymentWins(t *testing.T) {
	tests := []struct {
		stage  model.Stage
		want   model.DeploymentStatus
		source int // which of the deployments, newest first, the new one takes over from
	}{
		{model.StageBake, model.DeploymentStopped, 2},
		{model.StageCleanUp, model.DeploymentSuccessful, 1},
	}
	for _, tt := range tests {
		t.Run(string(tt.stage), func(t *testing.T) {
			r := newRig(t)
			r.create(shifts(model.BlueGreen))
			if err := r.CompleteDeployment(t.Context(), "c", "s"); err != nil {
				t.Fatal(err)
			}
			again := update(ServiceSettings{})
			again.Force = true
			svc, err := r.UpdateService(t.Context(), again)
			if err != nil {
				t.Fatal(err)
			}
			d := svc.Deployments[0]
			at := model.Progress{Stage: tt.stage, Shifts: 1, Placed: true, Source: d.Progress.Source}
			if err := r.AdvanceDeployment(t.Context(), "c", "s", model.Advance{Deployment: d.ID, From: d.Progress, To: at}); err != nil {
				t.Fatal(err)
			}
			if svc, err = r.UpdateService(t.Context(), again); err != nil {
				t.Fatal(err)
			}
			if got := r.ServiceDeployments(svc)[1].Status; got != tt.want {
				t.Errorf("the deployment before is %s, want %s", got, tt.want)
			}
			if got := svc.Deployments[0].Progress.Source; got != svc.Deployments[tt.source].ID {
				t.Errorf("takes over from %s of %+v", got, svc.Deployments)
			}
		})
	}
}
