package scenario_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/load"
	"neargate/internal/traffic"
)

// TestRestartUnderLoad stops the server under load and starts it again: tasks
// are kept, not restarted, and everything else is as it was.
func TestRestartUnderLoad(t *testing.T) {
	data := t.TempDir()
	s := serve(t, data)
	c := newClient(s)
	image := c.pushApp()
	c.define("web", image, nil)
	tg, address := c.balance("web")
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	c.service("web", "web", 3, tg)
	c.stable("web")
	policy := putPolicy(t, c, 3, 6)
	before := c.tasks("web", ecstypes.DesiredStatusRunning)
	if len(before) != 3 {
		t.Fatalf("%d tasks, want 3", len(before))
	}

	ctx, stopLoad := context.WithCancel(t.Context())
	var answered atomic.Int64
	tester := must[*load.Tester](t)(load.New(load.Config{
		URL: "http://" + address + "/", Pace: 20 * time.Millisecond, Users: traffic.Shape{{For: time.Minute, From: 4, To: 4}},
	}))
	var loading sync.WaitGroup
	loading.Go(func() {
		_ = tester.Run(ctx, func(r load.Result) {
			if !r.Failed() {
				answered.Add(1)
			}
		})
	})
	defer loading.Wait()
	defer stopLoad()
	eventually(t, 10*time.Second, "metrics of the load", func() error { return hasMetric(c) })

	s.stop(syscall.SIGTERM)
	down := answered.Load()
	s = serve(t, data)
	c = newClient(s)
	defer destroy(t, s, c)

	after := c.tasks("web", ecstypes.DesiredStatusRunning)
	for arn, was := range before {
		is, ok := after[arn]
		if !ok || aws.ToString(is.LastStatus) != "RUNNING" || !is.StartedAt.Equal(*was.StartedAt) ||
			aws.ToString(is.Containers[0].RuntimeId) != aws.ToString(was.Containers[0].RuntimeId) {
			t.Errorf("task %s after the restart: %+v", arn, is)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d tasks after the restart, want %d", len(after), len(before))
	}
	eventually(t, 10*time.Second, "answers after the restart", func() error {
		if n := answered.Load(); n < down+20 {
			return fmt.Errorf("%d answers before, %d now", down, n)
		}
		return nil
	})
	if err := hasMetric(c); err != nil {
		t.Errorf("metrics from before the restart: %v", err)
	}
	got := must[*applicationautoscaling.DescribeScalingPoliciesOutput](t)(c.scaling.DescribeScalingPolicies(t.Context(),
		&applicationautoscaling.DescribeScalingPoliciesInput{ServiceNamespace: scaling.ServiceNamespaceEcs}))
	if len(got.ScalingPolicies) != 1 || aws.ToString(got.ScalingPolicies[0].PolicyARN) != policy {
		t.Errorf("policies after the restart: %+v", got.ScalingPolicies)
	}
	c.service("again", "web", 1, "") // the image is still there
	c.stable("again")
}

func putPolicy(t *testing.T, c *client, low, high int32) (arn string) {
	t.Helper()
	ctx := t.Context()
	must[*applicationautoscaling.RegisterScalableTargetOutput](t)(c.scaling.RegisterScalableTarget(ctx, &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String("service/default/web"),
		ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount, MinCapacity: aws.Int32(low), MaxCapacity: aws.Int32(high),
	}))
	out := must[*applicationautoscaling.PutScalingPolicyOutput](t)(c.scaling.PutScalingPolicy(ctx, &applicationautoscaling.PutScalingPolicyInput{
		ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String("service/default/web"),
		ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount, PolicyName: aws.String("cpu"),
		PolicyType: scaling.PolicyTypeTargetTrackingScaling,
		TargetTrackingScalingPolicyConfiguration: &scaling.TargetTrackingScalingPolicyConfiguration{
			TargetValue: aws.Float64(50),
			PredefinedMetricSpecification: &scaling.PredefinedMetricSpecification{
				PredefinedMetricType: scaling.MetricTypeECSServiceAverageCPUUtilization,
			},
		},
	}))
	return aws.ToString(out.PolicyARN)
}

func hasMetric(c *client) error {
	out, err := c.metrics.GetMetricStatistics(c.t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/ECS"), MetricName: aws.String("CPUUtilization"),
		Dimensions: []cw.Dimension{{Name: aws.String("ClusterName"), Value: aws.String("default")}, {Name: aws.String("ServiceName"), Value: aws.String("web")}},
		StartTime:  aws.Time(time.Now().Add(-5 * time.Minute)), EndTime: aws.Time(time.Now().Add(time.Minute)),
		Period: aws.Int32(60), Statistics: []cw.Statistic{cw.StatisticSampleCount, cw.StatisticAverage},
	})
	if err != nil {
		return err
	}
	var samples float64
	for _, p := range out.Datapoints {
		samples += aws.ToFloat64(p.SampleCount)
	}
	if samples < 2 { // about one a task in each minute
		return fmt.Errorf("%v samples of CPUUtilization", samples)
	}
	return nil
}

// destroy deletes the services of a test and stops the server, so that nothing
// runs on.
func destroy(t *testing.T, s *server, c *client) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	for _, name := range []string{"web", "again", "bad"} {
		_, _ = c.ecs.DeleteService(ctx, &ecs.DeleteServiceInput{Service: aws.String(name), Force: aws.Bool(true)}) // some were never made
	}
	eventually(t, 30*time.Second, "the tasks to end", func() error {
		for _, name := range []string{"web", "again", "bad"} {
			if n := len(c.tasks(name, ecstypes.DesiredStatusRunning)); n > 0 {
				return fmt.Errorf("%d tasks of %s", n, name)
			}
		}
		if pids := s.supervisors(); len(pids) > 0 {
			return fmt.Errorf("supervisors %v", pids)
		}
		return nil
	})
	s.stop(syscall.SIGTERM)
}

// TestKilledSupervisorIsReplaced kills one task's supervisor.
func TestKilledSupervisorIsReplaced(t *testing.T) {
	s := serve(t, t.TempDir())
	c := newClient(s)
	c.define("web", c.pushApp(), nil)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	tg, _ := c.balance("web")
	c.service("web", "web", 2, tg)
	c.stable("web")
	defer destroy(t, s, c)

	before := c.tasks("web", ecstypes.DesiredStatusRunning)
	pids := s.supervisors()
	if len(pids) != 2 {
		t.Fatalf("supervisors %v, want 2", pids)
	}
	if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, "the task to be replaced", func() error {
		now, kept := c.tasks("web", ecstypes.DesiredStatusRunning), 0
		for arn := range now {
			if _, ok := before[arn]; ok {
				kept++
			}
		}
		if d := c.describe("web"); kept != 1 || d.RunningCount != 2 {
			return fmt.Errorf("%d of the old tasks, %d running; %s", kept, d.RunningCount, messages(d))
		}
		return nil
	})
}

// TestContainerHealthCheck runs a service whose task is well only by its own
// container's word.
func TestContainerHealthCheck(t *testing.T) {
	s := serve(t, t.TempDir())
	c := newClient(s)
	c.define("web", c.pushApp(), func(d *ecstypes.ContainerDefinition) {
		d.HealthCheck = &ecstypes.HealthCheck{Command: []string{"CMD", "/neargate", "version"}, Interval: aws.Int32(5)}
	})
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	c.service("web", "web", 1, "")
	defer destroy(t, s, c)
	eventually(t, 20*time.Second, "the deployment to be completed", func() error {
		d := c.describe("web").Deployments[0]
		for _, task := range c.tasks("web", ecstypes.DesiredStatusRunning) {
			if d.RolloutState == ecstypes.DeploymentRolloutStateCompleted && task.HealthStatus == ecstypes.HealthStatusHealthy {
				return nil
			}
		}
		return fmt.Errorf("rollout %s: %s", d.RolloutState, aws.ToString(d.RolloutStateReason))
	})
}
