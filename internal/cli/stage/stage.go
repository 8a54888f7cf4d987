// Package stage sets up a service of the workshop's app on a running server,
// behind a load balancer, by the AWS APIs, and measures it: for calibration and
// for benchmarks of the whole system.
package stage

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/cli/appimage"
	"neargate/internal/cli/demo"
)

// The names that stand on every stage.
const (
	Cluster   = "bench"
	container = "app"
	port      = 8080
)

// Stage is a cluster with a task definition of the workshop's app, and a load
// balancer that forwards to one target group.
type Stage struct {
	ECS     *ecs.Client
	Scaling *applicationautoscaling.Client
	Metrics *cloudwatch.Client
	// Address is where the load balancer listens, HOST:PORT.
	Address string
	// VCPU is what one task may use.
	VCPU float64

	elb         *elb.Client
	targetGroup string // ARN
	network     demo.Network
}

// Task is what every task on the stage is.
type Task struct {
	Units int // CPU units, a size that Fargate has
	// Startup is how long the app waits before it listens.
	Startup time.Duration
}

// SetUp creates the stage on a fresh server, with the app out of the binary.
func SetUp(ctx context.Context, s demo.Server, binary string, task Task) (*Stage, error) {
	network, err := demo.FindNetwork(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("find the network: %w", err)
	}
	cfg := aws.Config{
		Region: s.Region, BaseEndpoint: aws.String(s.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	}
	g := &Stage{
		ECS: ecs.NewFromConfig(cfg), Scaling: applicationautoscaling.NewFromConfig(cfg), Metrics: cloudwatch.NewFromConfig(cfg),
		elb: elb.NewFromConfig(cfg), network: network, VCPU: float64(task.Units) / 1024,
	}
	image, err := push(ctx, ecr.NewFromConfig(cfg), binary)
	if err != nil {
		return nil, fmt.Errorf("push the app: %w", err)
	}
	if err := g.define(ctx, image, task); err != nil {
		return nil, fmt.Errorf("define the task: %w", err)
	}
	if err := g.balance(ctx); err != nil {
		return nil, fmt.Errorf("make the load balancer: %w", err)
	}
	return g, nil
}

func push(ctx context.Context, c *ecr.Client, binary string) (image string, err error) {
	repo, err := c.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String("app")})
	if err != nil {
		return "", err
	}
	auth, err := c.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return "", err
	}
	token, err := base64.StdEncoding.DecodeString(aws.ToString(auth.AuthorizationData[0].AuthorizationToken))
	if err != nil {
		return "", fmt.Errorf("decode the authorization token: %w", err)
	}
	user, password, _ := strings.Cut(string(token), ":")
	uri := aws.ToString(repo.Repository.RepositoryUri)
	_, err = appimage.Push(ctx, appimage.Repository{URI: uri, User: user, Password: password}, "latest", binary)
	return uri + ":latest", err
}

func (g *Stage) define(ctx context.Context, image string, task Task) error {
	if _, err := g.ECS.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(Cluster)}); err != nil {
		return err
	}
	_, err := g.ECS.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("app"), NetworkMode: ecstypes.NetworkModeAwsvpc,
		Cpu: aws.String(strconv.Itoa(task.Units)), Memory: aws.String(strconv.Itoa(2 * task.Units)),
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: aws.String(container), Image: aws.String(image), Essential: aws.Bool(true),
			PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(port)}},
			Environment:  []ecstypes.KeyValuePair{{Name: aws.String("STARTUP"), Value: aws.String(task.Startup.String())}},
		}},
	})
	return err
}

// preferIdle has requests sent to the least busy task: round robin, AWS's default,
// sends work to a busy one while another is idle, which shows as queueing long
// before the tasks are full.
func (g *Stage) preferIdle(ctx context.Context) error {
	_, err := g.elb.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: aws.String(g.targetGroup),
		Attributes: []elbtypes.TargetGroupAttribute{{
			Key: aws.String("load_balancing.algorithm.type"), Value: aws.String("least_outstanding_requests"),
		}},
	})
	return err
}

// balance creates a load balancer on a free port.
func (g *Stage) balance(ctx context.Context) error {
	tg, err := g.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String("bench"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(port),
		TargetType: elbtypes.TargetTypeEnumIp, VpcId: aws.String(g.network.VPC),
	})
	if err != nil {
		return err
	}
	g.targetGroup = aws.ToString(tg.TargetGroups[0].TargetGroupArn)
	if err := g.preferIdle(ctx); err != nil {
		return err
	}
	out, err := g.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("bench"), Subnets: g.network.Subnets})
	if err != nil {
		return err
	}
	lb := out.LoadBalancers[0]
	ip := aws.ToString(lb.AvailabilityZones[0].LoadBalancerAddresses[0].IpAddress)
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return err
	}
	g.Address = l.Addr().String()
	free := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return err
	}
	_, err = g.elb.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(int32(free)),
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: aws.String(g.targetGroup)}},
	})
	return err
}

// CreateService creates a service behind the load balancer.
func (g *Stage) CreateService(ctx context.Context, name string, tasks int) error {
	_, err := g.ECS.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: aws.String(Cluster), ServiceName: aws.String(name), TaskDefinition: aws.String("app"),
		DesiredCount: aws.Int32(int32(tasks)), LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: g.network.Subnets}},
		LoadBalancers: []ecstypes.LoadBalancer{{
			TargetGroupArn: aws.String(g.targetGroup), ContainerName: aws.String(container), ContainerPort: aws.Int32(port),
		}},
	})
	return err
}

// SetDesired changes how many tasks a service shall have.
func (g *Stage) SetDesired(ctx context.Context, name string, tasks int) error {
	_, err := g.ECS.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster: aws.String(Cluster), Service: aws.String(name), DesiredCount: aws.Int32(int32(tasks)),
	})
	return err
}

// DeleteService ends a service, and returns when its tasks are gone.
func (g *Stage) DeleteService(ctx context.Context, name string) error {
	_, err := g.ECS.DeleteService(ctx, &ecs.DeleteServiceInput{Cluster: aws.String(Cluster), Service: aws.String(name), Force: aws.Bool(true)})
	if err != nil {
		return err
	}
	return Until(ctx, name+" to end", time.Minute, 100*time.Millisecond, func(ctx context.Context) (bool, error) {
		out, err := g.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(Cluster), Services: []string{name}})
		return err == nil && len(out.Services) == 1 && aws.ToString(out.Services[0].Status) == "INACTIVE", err
	})
}

// Healthy counts the targets that the load balancer sends requests to.
func (g *Stage) Healthy(ctx context.Context) (int, error) {
	out, err := g.elb.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: aws.String(g.targetGroup)})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, t := range out.TargetHealthDescriptions {
		if t.TargetHealth.State == elbtypes.TargetHealthStateEnumHealthy {
			n++
		}
	}
	return n, nil
}

// UntilHealthy waits until the load balancer has n healthy targets.
func (g *Stage) UntilHealthy(ctx context.Context, n int) error {
	return Until(ctx, fmt.Sprintf("%d healthy targets", n), time.Minute, lookEvery, func(ctx context.Context) (bool, error) {
		have, err := g.Healthy(ctx)
		return have >= n, err
	})
}

// lookEvery is how often target health is asked for: the pause is part of the
// figures.
const lookEvery = 10 * time.Millisecond
