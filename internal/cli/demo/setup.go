package demo

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/cli/appimage"
)

// The names of what the demo makes.
const (
	cluster   = "demo"
	service   = "web"
	logGroup  = "/ecs/demo"
	container = "app"
	port      = 8080
	resource  = "service/" + cluster + "/" + service
	policy    = "cpu50-target-tracking"
)

// setUp takes the image to a service behind a load balancer, with its policy.
func (d *run) setUp(ctx context.Context) error {
	steps := []struct {
		name string
		do   func(context.Context) (string, error)
	}{
		{"image", d.pushImage},
		{"network", d.findNetwork},
		{"cluster", d.makeCluster},
		{"load balancer", d.makeLoadBalancer},
		{"service", d.makeService},
		{"steady", d.waitStable},
		{"root", d.fetchRoot},
		{"load", d.calibrate},
		{"policy", d.makePolicy},
	}
	for _, s := range steps {
		if s.name == "root" && !d.cfg.TLS {
			continue
		}
		begin := time.Now()
		said, err := s.do(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		d.view.step(s.name, said, time.Since(begin))
	}
	return nil
}

func (d *run) pushImage(ctx context.Context) (string, error) {
	repo, err := d.aws.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String("app")})
	if err != nil {
		return "", err
	}
	auth, err := d.aws.ecr.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return "", err
	}
	token, err := base64.StdEncoding.DecodeString(aws.ToString(auth.AuthorizationData[0].AuthorizationToken))
	if err != nil {
		return "", fmt.Errorf("decode the authorization token: %w", err)
	}
	user, password, _ := strings.Cut(string(token), ":")
	uri := aws.ToString(repo.Repository.RepositoryUri)
	digest, err := appimage.Push(ctx, appimage.Repository{URI: uri, User: user, Password: password}, "latest", d.exe)
	if err != nil {
		return "", err
	}
	d.imageURI = uri + ":latest"
	return "pushed " + d.imageURI + " " + short(digest), nil
}

func short(digest string) string {
	if len(digest) > 19 {
		return digest[:19]
	}
	return digest
}

func (d *run) makeCluster(ctx context.Context) (string, error) {
	if _, err := d.aws.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(cluster)}); err != nil {
		return "", err
	}
	if _, err := d.aws.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(logGroup)}); err != nil {
		return "", err
	}
	td, err := d.aws.ecs.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family:                  aws.String("app"),
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		NetworkMode:             ecstypes.NetworkModeAwsvpc,
		Cpu:                     aws.String(strconv.Itoa(d.cfg.CPU)),
		Memory:                  aws.String(strconv.Itoa(memoryOf(d.cfg.CPU))),
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name:         aws.String(container),
			Image:        aws.String(d.imageURI),
			Essential:    aws.Bool(true),
			PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(port)}},
			LogConfiguration: &ecstypes.LogConfiguration{
				LogDriver: ecstypes.LogDriverAwslogs,
				Options: map[string]string{
					"awslogs-group": logGroup, "awslogs-region": d.srv.Region, "awslogs-stream-prefix": "web",
				},
			},
		}},
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("cluster %s, log group %s, task definition %s:%d (%d CPU units, %d MiB)", cluster, logGroup,
		aws.ToString(td.TaskDefinition.Family), td.TaskDefinition.Revision, d.cfg.CPU, memoryOf(d.cfg.CPU)), nil
}

// preferIdle has requests sent to the least busy task: round robin, AWS's default,
// sends work to a busy one while another is idle, which shows as queueing long
// before the tasks are full.
func (d *run) preferIdle(ctx context.Context) error {
	_, err := d.aws.elb.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: aws.String(d.targetGroup),
		Attributes: []elbtypes.TargetGroupAttribute{{
			Key: aws.String("load_balancing.algorithm.type"), Value: aws.String("least_outstanding_requests"),
		}},
	})
	return err
}

func (d *run) makeLoadBalancer(ctx context.Context) (string, error) {
	tg, err := d.aws.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(port),
		TargetType: elbtypes.TargetTypeEnumIp, VpcId: aws.String(d.network.VPC),
		HealthCheckPath: aws.String("/"), HealthCheckIntervalSeconds: aws.Int32(5),
		HealthCheckTimeoutSeconds: aws.Int32(4), HealthyThresholdCount: aws.Int32(2),
	})
	if err != nil {
		return "", err
	}
	d.targetGroup = aws.ToString(tg.TargetGroups[0].TargetGroupArn)
	if err := d.preferIdle(ctx); err != nil {
		return "", err
	}
	lb, err := d.aws.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: aws.String("web"), Type: elbtypes.LoadBalancerTypeEnumApplication, Subnets: d.network.Subnets, SecurityGroups: d.network.SecurityGroups,
	})
	if err != nil {
		return "", err
	}
	d.balancer = aws.ToString(lb.LoadBalancers[0].LoadBalancerArn)
	d.dnsName = aws.ToString(lb.LoadBalancers[0].DNSName)
	d.address = aws.ToString(lb.LoadBalancers[0].AvailabilityZones[0].LoadBalancerAddresses[0].IpAddress)
	if err := d.makeListener(ctx); err != nil {
		return "", err
	}
	return d.url(""), nil
}

// makeListener takes the first of a few ports that no other program has.
func (d *run) makeListener(ctx context.Context) error {
	in := &elb.CreateListenerInput{
		LoadBalancerArn: aws.String(d.balancer), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: aws.String(d.targetGroup)}},
	}
	ports := d.cfg.ListenerPorts
	if d.cfg.TLS {
		if err := d.secure(ctx, in); err != nil {
			return err
		}
		ports = d.cfg.SecurePorts
	}
	var refused []error
	for _, p := range ports {
		in.Port = aws.Int32(p)
		_, err := d.aws.elb.CreateListener(ctx, in)
		if err == nil {
			d.listenerPort = p
			return nil
		}
		refused = append(refused, err)
	}
	return errors.Join(refused...)
}

// url is a path of the load balancer's as a URL.
func (d *run) url(path string) string {
	scheme, usual := "http", int32(80)
	if d.cfg.TLS {
		scheme, usual = "https", 443
	}
	host := d.dnsName
	if d.listenerPort != usual {
		host += ":" + strconv.Itoa(int(d.listenerPort))
	}
	return scheme + "://" + host + path
}

func (d *run) makeService(ctx context.Context) (string, error) {
	_, err := d.aws.ecs.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: aws.String(cluster), ServiceName: aws.String(service), TaskDefinition: aws.String("app"),
		DesiredCount: aws.Int32(int32(d.cfg.Min)), LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{
			Subnets: d.network.Subnets, SecurityGroups: d.network.SecurityGroups, AssignPublicIp: ecstypes.AssignPublicIpDisabled,
		}},
		LoadBalancers: []ecstypes.LoadBalancer{{
			TargetGroupArn: aws.String(d.targetGroup), ContainerName: aws.String(container), ContainerPort: aws.Int32(port),
		}},
	})
	return fmt.Sprintf("%s with %d tasks", service, d.cfg.Min), err
}

// waitStable waits as the SDK's services-stable waiter does, only more often.
func (d *run) waitStable(ctx context.Context) (string, error) {
	w := ecs.NewServicesStableWaiter(d.aws.ecs, func(o *ecs.ServicesStableWaiterOptions) {
		o.MinDelay, o.MaxDelay = 200*time.Millisecond, time.Second
	})
	const limit = time.Minute
	err := w.Wait(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: []string{service}}, limit)
	if err != nil {
		return "", fmt.Errorf("waited %v for services-stable: %w%s", limit, err, d.lastEvent(ctx))
	}
	// Running is not yet healthy: the waiter says nothing of the targets.
	err = waitFor(ctx, "the targets to be healthy", limit, 50*time.Millisecond, func(ctx context.Context) (bool, error) {
		states, err := d.targets(ctx)
		return healthy(states) == d.cfg.Min, err
	})
	if err != nil {
		return "", fmt.Errorf("%w%s", err, d.lastEvent(ctx))
	}
	return fmt.Sprintf("%d of %d tasks running and healthy", d.cfg.Min, d.cfg.Min), nil
}

// lastEvent returns the service's newest event, to say why a wait was in vain.
func (d *run) lastEvent(ctx context.Context) string {
	out, err := d.aws.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: []string{service}})
	if err != nil || len(out.Services) == 0 || len(out.Services[0].Events) == 0 {
		return ""
	}
	return " (last event: " + aws.ToString(out.Services[0].Events[0].Message) + ")"
}

func (d *run) makePolicy(ctx context.Context) (string, error) {
	_, err := d.aws.scaling.RegisterScalableTarget(ctx, &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String(resource),
		ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount,
		MinCapacity:       aws.Int32(int32(d.cfg.Min)), MaxCapacity: aws.Int32(int32(d.cfg.Max)),
	})
	if err != nil {
		return "", err
	}
	_, err = d.aws.scaling.PutScalingPolicy(ctx, &applicationautoscaling.PutScalingPolicyInput{
		ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String(resource),
		ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount,
		PolicyName:        aws.String(policy), PolicyType: scaling.PolicyTypeTargetTrackingScaling,
		TargetTrackingScalingPolicyConfiguration: &scaling.TargetTrackingScalingPolicyConfiguration{
			TargetValue: aws.Float64(d.cfg.Target),
			PredefinedMetricSpecification: &scaling.PredefinedMetricSpecification{
				PredefinedMetricType: scaling.MetricTypeECSServiceAverageCPUUtilization,
			},
			ScaleOutCooldown: aws.Int32(30), ScaleInCooldown: aws.Int32(30),
		},
	})
	return fmt.Sprintf("%d to %d tasks, target CPU %g %%, cooldowns 30 s", d.cfg.Min, d.cfg.Max, d.cfg.Target), err
}
