package scenario_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/cli/appimage"
	"neargate/internal/cli/demo"
)

// client speaks to a server as a user does, failing the test on any error.
type client struct {
	t       *testing.T
	ecr     *ecr.Client
	ecs     *ecs.Client
	elb     *elb.Client
	logs    *cloudwatchlogs.Client
	metrics *cloudwatch.Client
	scaling *applicationautoscaling.Client
	network demo.Network
}

func newClient(s *server) *client {
	network, err := demo.FindNetwork(s.t.Context(), demo.Server{Endpoint: s.Endpoint, Region: s.Region, AccessKey: s.AccessKey, SecretKey: s.SecretKey})
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := aws.Config{
		Region: s.Region, BaseEndpoint: aws.String(s.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	}
	return &client{
		s.t, ecr.NewFromConfig(cfg), ecs.NewFromConfig(cfg), elb.NewFromConfig(cfg), cloudwatchlogs.NewFromConfig(cfg),
		cloudwatch.NewFromConfig(cfg), applicationautoscaling.NewFromConfig(cfg), network,
	}
}

// must unwraps an answer: must(t)(c.ecs.DescribeServices(…)).
func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// pushApp pushes the example app as app:latest and gives its image name.
func (c *client) pushApp() string {
	c.t.Helper()
	return c.push("app", neargate(c.t))
}

// push pushes an image of one program to a new repository.
func (c *client) push(name, exe string) string {
	c.t.Helper()
	ctx := c.t.Context()
	repo := must[*ecr.CreateRepositoryOutput](c.t)(c.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String(name)}))
	auth := must[*ecr.GetAuthorizationTokenOutput](c.t)(c.ecr.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{}))
	token := must[[]byte](c.t)(base64.StdEncoding.DecodeString(*auth.AuthorizationData[0].AuthorizationToken))
	user, password, _ := strings.Cut(string(token), ":")
	must[string](c.t)(appimage.Push(ctx, appimage.Repository{URI: *repo.Repository.RepositoryUri, User: user, Password: password}, "latest", exe))
	return *repo.Repository.RepositoryUri + ":latest"
}

// define registers a task definition of one container.
func (c *client) define(family, image string, change func(*ecstypes.ContainerDefinition)) {
	c.t.Helper()
	def := ecstypes.ContainerDefinition{
		Name: aws.String("app"), Image: aws.String(image), Essential: aws.Bool(true),
		PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(8080)}},
	}
	if change != nil {
		change(&def)
	}
	must[*ecs.RegisterTaskDefinitionOutput](c.t)(c.ecs.RegisterTaskDefinition(c.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(family), NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		ContainerDefinitions:    []ecstypes.ContainerDefinition{def},
	}))
}

// balance makes a load balancer on a free port and gives its target group and
// the address that it listens on.
func (c *client) balance(name string) (targetGroup, address string) {
	c.t.Helper()
	ctx := c.t.Context()
	tg := must[*elb.CreateTargetGroupOutput](c.t)(c.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String(name), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080),
		TargetType: elbtypes.TargetTypeEnumIp, VpcId: aws.String(c.network.VPC), HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2),
	}))
	lb := must[*elb.CreateLoadBalancerOutput](c.t)(c.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: aws.String(name), Subnets: c.network.Subnets,
	})).LoadBalancers[0]
	port := freePort(c.t)
	must[*elb.CreateListenerOutput](c.t)(c.elb.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(port),
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: tg.TargetGroups[0].TargetGroupArn}},
	}))
	ip := *lb.AvailabilityZones[0].LoadBalancerAddresses[0].IpAddress
	return *tg.TargetGroups[0].TargetGroupArn, net.JoinHostPort(ip, fmt.Sprint(port))
}

func freePort(t *testing.T) int32 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return int32(l.Addr().(*net.TCPAddr).Port)
}

// service creates a service, behind targetGroup unless that is "".
func (c *client) service(name, family string, count int, targetGroup string) {
	c.t.Helper()
	in := &ecs.CreateServiceInput{
		ServiceName: aws.String(name), TaskDefinition: aws.String(family), DesiredCount: aws.Int32(int32(count)),
		LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{
			AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: c.network.Subnets},
		},
	}
	if targetGroup != "" {
		in.LoadBalancers = []ecstypes.LoadBalancer{{
			TargetGroupArn: aws.String(targetGroup), ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080),
		}}
	}
	must[*ecs.CreateServiceOutput](c.t)(c.ecs.CreateService(c.t.Context(), in))
}

func (c *client) describe(name string) ecstypes.Service {
	c.t.Helper()
	out := must[*ecs.DescribeServicesOutput](c.t)(c.ecs.DescribeServices(c.t.Context(), &ecs.DescribeServicesInput{Services: []string{name}}))
	if len(out.Services) != 1 {
		c.t.Fatalf("DescribeServices %s: %+v", name, out.Failures)
	}
	return out.Services[0]
}

// stable waits until the service runs what it should.
func (c *client) stable(name string) {
	c.t.Helper()
	eventually(c.t, 30*time.Second, name+" to be stable", func() error {
		s := c.describe(name)
		if len(s.Deployments) != 1 || s.RunningCount != s.DesiredCount {
			return fmt.Errorf("%d deployments, %d of %d running; events: %s", len(s.Deployments), s.RunningCount, s.DesiredCount, messages(s))
		}
		return nil
	})
}

// tasks gives the tasks with a desired status of a service that may never have
// been made, by ARN.
func (c *client) tasks(service string, status ecstypes.DesiredStatus) map[string]ecstypes.Task {
	c.t.Helper()
	ctx := context.WithoutCancel(c.t.Context())
	out := map[string]ecstypes.Task{}
	list, err := c.ecs.ListTasks(ctx, &ecs.ListTasksInput{ServiceName: aws.String(service), DesiredStatus: status})
	if _, ok := errors.AsType[*ecstypes.ServiceNotFoundException](err); ok {
		return out
	}
	if err != nil {
		c.t.Fatal(err)
	}
	if len(list.TaskArns) == 0 {
		return out
	}
	for _, task := range must[*ecs.DescribeTasksOutput](c.t)(c.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: list.TaskArns})).Tasks {
		out[*task.TaskArn] = task
	}
	return out
}

func messages(s ecstypes.Service) string {
	var lines []string
	for _, e := range s.Events {
		lines = append(lines, *e.Message)
	}
	return strings.Join(lines, " | ")
}
