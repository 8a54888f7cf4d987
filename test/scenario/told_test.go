package scenario_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// TestWhatWentWrongIsTold: a person who reads a service's events, its tasks and
// its deployments learns what happened, in ECS's words.
func TestWhatWentWrongIsTold(t *testing.T) {
	s := serve(t, t.TempDir())
	c := newClient(s)
	image := c.pushApp()
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	defer destroy(t, s, c)
	for name, row := range map[string]func(*client, string){
		"a start that fails":                startsThatFail,
		"a container that did not end well": dependencyThatFailed,
		"a target group that is gone":       goneTargetGroup,
		"a deployment that was replaced":    replacedDeployment,
	} {
		t.Run(name, func(t *testing.T) {
			c := *c
			c.t = t
			row(&c, image)
		})
	}
}

// says waits for an event with a text.
func (c *client) says(service, text string) {
	c.t.Helper()
	eventually(c.t, 30*time.Second, "an event with "+text, func() error {
		if said := messages(c.describe(service)); !strings.Contains(said, text) {
			return errors.New(said)
		}
		return nil
	})
}

func startsThatFail(c *client, image string) {
	for cause, change := range map[string]func(*ecstypes.ContainerDefinition){
		"CannotPullContainerError": func(d *ecstypes.ContainerDefinition) {
			d.Image = aws.String(strings.Replace(image, ":latest", ":nosuch", 1))
		},
		"CannotStartContainerError": func(d *ecstypes.ContainerDefinition) { d.EntryPoint = []string{"/nosuch"} },
		"ResourceInitializationError": func(d *ecstypes.ContainerDefinition) {
			d.LogConfiguration = &ecstypes.LogConfiguration{LogDriver: ecstypes.LogDriverAwslogs, Options: map[string]string{
				"awslogs-group": "/none", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "x",
			}}
		},
	} {
		c.define("bad", image, change)
		c.service("bad", "bad", 1, "")
		c.stopsWith("bad", cause)
		c.says("bad", cause)
		c.delete("bad")
	}
}

// dependencyThatFailed: the one that should have ended with 0 has its exit code.
func dependencyThatFailed(c *client, image string) {
	ctx := c.t.Context()
	must[*ecs.RegisterTaskDefinitionOutput](c.t)(c.ecs.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("bad"), NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		ContainerDefinitions: []ecstypes.ContainerDefinition{
			{Name: aws.String("first"), Image: &image, Essential: aws.Bool(false), Command: []string{"--nosuch-flag"}},
			{Name: aws.String("app"), Image: &image, DependsOn: []ecstypes.ContainerDependency{{ContainerName: aws.String("first"), Condition: ecstypes.ContainerConditionSuccess}}},
		},
	}))
	task := must[*ecs.RunTaskOutput](c.t)(c.ecs.RunTask(ctx, &ecs.RunTaskInput{
		TaskDefinition: aws.String("bad"), LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: c.network.Subnets[:1]}},
	})).Tasks[0]
	eventually(c.t, 30*time.Second, "the task to end", func() error {
		task = must[*ecs.DescribeTasksOutput](c.t)(c.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: []string{*task.TaskArn}})).Tasks[0]
		if *task.LastStatus != "STOPPED" {
			return errors.New(*task.LastStatus)
		}
		return nil
	})
	for _, k := range task.Containers {
		if *k.Name == "first" && (k.ExitCode == nil || *k.ExitCode == 0) {
			c.t.Errorf("the container that failed has exit code %v; the task: %s", k.ExitCode, aws.ToString(task.StoppedReason))
		}
	}
}

// goneTargetGroup: what is deleted under a running service is told when the
// scheduler meets it, and the service goes on.
func goneTargetGroup(c *client, image string) {
	ctx := c.t.Context()
	c.define("web", image, nil)
	group, _ := c.balance("gone")
	c.service("web", "web", 1, group)
	c.stable("web")
	lb := must[*elb.DescribeLoadBalancersOutput](c.t)(c.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{"gone"}})).LoadBalancers[0]
	must[*elb.DeleteLoadBalancerOutput](c.t)(c.elb.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn}))
	must[*elb.DeleteTargetGroupOutput](c.t)(c.elb.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &group}))
	must[*ecs.UpdateServiceOutput](c.t)(c.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{Service: aws.String("web"), DesiredCount: aws.Int32(2)}))
	c.says("web", group)
	if n := c.describe("web").RunningCount; n < 1 {
		c.t.Errorf("%d tasks run", n)
	}
	c.delete("web")
}

// replacedDeployment: one that a newer one replaces was stopped, and its circuit
// breaker has seen nothing.
func replacedDeployment(c *client, image string) {
	ctx := c.t.Context()
	c.define("again", image, nil)
	c.service("again", "again", 1, "")
	c.stable("again")
	c.define("again", image, func(d *ecstypes.ContainerDefinition) { // never healthy
		d.HealthCheck = &ecstypes.HealthCheck{Command: []string{"CMD", "/neargate", "nosuch"}, StartPeriod: aws.Int32(300)}
	})
	update := func() string {
		out := must[*ecs.UpdateServiceOutput](c.t)(c.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{
			Service: aws.String("again"), TaskDefinition: aws.String("again"),
			DeploymentConfiguration: &ecstypes.DeploymentConfiguration{DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{Enable: true, Rollback: true}},
		}))
		if n := len(out.Service.Deployments); n < 2 {
			c.t.Errorf("%d deployments", n)
		}
		return c.latestARN("again")
	}
	first := update()
	c.define("again", image, nil)
	second := update()
	c.stable("again")
	out := must[*ecs.DescribeServiceDeploymentsOutput](c.t)(c.ecs.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{first, second}}))
	got := map[string]string{}
	for _, d := range out.ServiceDeployments {
		got[*d.ServiceDeploymentArn] = fmt.Sprint(d.Status)
		if d.DeploymentCircuitBreaker != nil && d.DeploymentCircuitBreaker.Status == ecstypes.ServiceDeploymentRollbackMonitorsStatusTriggered {
			c.t.Errorf("the circuit breaker of %s was triggered", *d.ServiceDeploymentArn)
		}
	}
	if got[first] != "STOPPED" || got[second] != "SUCCESSFUL" {
		c.t.Errorf("the first is %s, the second %s", got[first], got[second])
	}
	c.delete("again")
}

func (c *client) latestARN(service string) string { return *c.latest(service).ServiceDeploymentArn }
