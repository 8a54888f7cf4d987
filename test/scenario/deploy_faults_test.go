package scenario_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestDeploymentsThatFailUnderLoad has deployments fail in the ways there are:
// a revision that cannot live, an alarm after the traffic has been shifted, an
// order to stop. The earlier revision serves on, and no request fails.
func TestDeploymentsThatFailUnderLoad(t *testing.T) {
	s := serve(t, t.TempDir())
	c := newClient(s)
	image := c.pushApp()
	c.define("web", image, nil)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	p := c.alternate("web")
	config := &ecstypes.DeploymentConfiguration{Strategy: ecstypes.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(0)}
	c.create(p, "web", config)
	defer destroy(t, s, c)
	c.succeeds("web")
	good := *c.describe("web").TaskDefinition
	c.define("web", image, func(d *ecstypes.ContainerDefinition) { d.Command = []string{"no-such-command"} })
	bad := good[:strings.LastIndex(good, ":")] + ":2"
	must[*cloudwatch.PutMetricAlarmOutput](t)(c.metrics.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("errors"), Namespace: aws.String("App"), MetricName: aws.String("Errors"), Statistic: cw.StatisticSum,
		ComparisonOperator: cw.ComparisonOperatorGreaterThanThreshold, Threshold: aws.Float64(1), EvaluationPeriods: aws.Int32(1), Period: aws.Int32(86400),
	}))
	config.BakeTimeInMinutes = aws.Int32(60)
	config.DeploymentCircuitBreaker = &ecstypes.DeploymentCircuitBreaker{Enable: true, Rollback: true}
	config.Alarms = &ecstypes.DeploymentAlarms{AlarmNames: []string{"errors"}, Enable: true, Rollback: true}

	tests := []struct {
		name, definition, reason string
		fail                     func()
	}{
		{"a revision that cannot live", bad, "the circuit breaker threshold was exceeded", func() {}},
		{"an alarm in the bake time", good, "alarms errors", func() {
			must[*cloudwatch.SetAlarmStateOutput](t)(c.metrics.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
				AlarmName: aws.String("errors"), StateValue: cw.StateValueAlarm, StateReason: aws.String("test"),
			}))
		}},
		{"an order to stop", good, "it was requested", func() {
			must[*ecs.StopServiceDeploymentOutput](t)(c.ecs.StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{
				ServiceDeploymentArn: c.latest("web").ServiceDeploymentArn, StopType: ecstypes.StopServiceDeploymentStopTypeRollback,
			}))
		}},
	}
	load := startLoad(t, "http://"+p.address+"/", true)
	for _, tt := range tests {
		must[*ecs.UpdateServiceOutput](t)(c.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{
			Service: aws.String("web"), TaskDefinition: aws.String(tt.definition), ForceNewDeployment: true, DeploymentConfiguration: config,
		}))
		if tt.definition == good {
			c.reaches("web", ecstypes.ServiceDeploymentLifecycleStageBakeTime)
		}
		tt.fail()
		eventually(t, time.Minute, tt.name+": rolled back", func() error {
			d := c.latest("web")
			if d.Status != ecstypes.ServiceDeploymentStatusRollbackSuccessful || !strings.Contains(aws.ToString(d.StatusReason), tt.reason) {
				return fmt.Errorf("it is %s at %s: %s", d.Status, d.LifecycleStage, aws.ToString(d.StatusReason))
			}
			return nil
		})
		must[*cloudwatch.SetAlarmStateOutput](t)(c.metrics.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
			AlarmName: aws.String("errors"), StateValue: cw.StateValueOk, StateReason: aws.String("test"),
		}))
		c.stable("web")
		if now := c.describe("web"); *now.TaskDefinition != good {
			t.Errorf("%s: the service has %s, want %s", tt.name, *now.TaskDefinition, good)
		}
	}
	if sent, failed := load.end(); len(failed) > 0 || sent == 0 {
		t.Errorf("%d of %d requests failed, first: %s", len(failed), sent, failed[:min(len(failed), 3)])
	}
}

// TestKilledServerGoesOnDeploying kills the server while a deployment pauses:
// the next one has it where it was, takes the order to go on, and ends it.
func TestKilledServerGoesOnDeploying(t *testing.T) {
	data := t.TempDir()
	s := serve(t, data)
	c := newClient(s)
	c.define("web", c.pushApp(), nil)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	p := c.alternate("web")
	config := &ecstypes.DeploymentConfiguration{Strategy: ecstypes.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(0)}
	c.create(p, "web", config)
	c.succeeds("web")
	config.LifecycleHooks = []ecstypes.DeploymentLifecycleHook{{
		TargetType: ecstypes.DeploymentLifecycleHookTargetTypePause,
		LifecycleStages: []ecstypes.DeploymentLifecycleHookStage{
			ecstypes.DeploymentLifecycleHookStagePostTestTrafficShift, ecstypes.DeploymentLifecycleHookStagePostProductionTrafficShift,
		},
	}}
	must[*ecs.UpdateServiceOutput](t)(c.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{
		Service: aws.String("web"), ForceNewDeployment: true, DeploymentConfiguration: config,
	}))
	for _, stage := range []ecstypes.ServiceDeploymentLifecycleStage{
		ecstypes.ServiceDeploymentLifecycleStagePostTestTrafficShift, ecstypes.ServiceDeploymentLifecycleStagePostProductionTrafficShift,
	} {
		before := c.reaches("web", stage)
		s.stop(syscall.SIGKILL)
		s = serve(t, data)
		c = newClient(s)
		after := c.reaches("web", stage)
		if *after.LifecycleHookDetails[0].HookId != *before.LifecycleHookDetails[0].HookId {
			t.Errorf("at %s the pause is another one after the restart", stage)
		}
		must[*ecs.ContinueServiceDeploymentOutput](t)(c.ecs.ContinueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{
			ServiceDeploymentArn: after.ServiceDeploymentArn, HookId: after.LifecycleHookDetails[0].HookId,
		}))
	}
	defer destroy(t, s, c)
	c.succeeds("web")
	c.stable("web")
}

// reaches waits until the newest deployment is at a stage.
func (c *client) reaches(name string, stage ecstypes.ServiceDeploymentLifecycleStage) ecstypes.ServiceDeployment {
	c.t.Helper()
	return c.deployment(name, string(stage), func(d ecstypes.ServiceDeployment) bool { return d.LifecycleStage == stage })
}

// succeeds waits until the newest deployment has succeeded.
func (c *client) succeeds(name string) {
	c.t.Helper()
	c.deployment(name, "a deployment to succeed", func(d ecstypes.ServiceDeployment) bool {
		return d.Status == ecstypes.ServiceDeploymentStatusSuccessful
	})
}

// deployment waits until something holds for the newest deployment.
func (c *client) deployment(name, what string, holds func(ecstypes.ServiceDeployment) bool) (d ecstypes.ServiceDeployment) {
	c.t.Helper()
	eventually(c.t, time.Minute, what, func() (err error) {
		if d, err = c.newest(name); err == nil && !holds(d) {
			err = fmt.Errorf("it is %s at %s: %s", d.Status, d.LifecycleStage, aws.ToString(d.StatusReason))
		}
		return err
	})
	return d
}
