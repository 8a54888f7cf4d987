package app_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	aastypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"neargate/internal/app"
	"neargate/internal/cli/demo"
	"neargate/internal/runtime"
	"neargate/internal/runtime/fake"
)

// machine opens a fake engine, the same one each time.
type machine struct{ *fake.Engine }

func (machine) Check() error { return nil }

func (m machine) Open(_ context.Context, p app.EngineParts) (runtime.Engine, error) {
	m.Set(func(c *fake.Config) { c.Logs = p.Logs })
	m.Reopen()
	return m.Engine, nil
}

func (m machine) Cleanup(context.Context, string) error {
	m.EndAll()
	return nil
}

// server is the whole server, as its clients see it. Each of its methods fails
// the test on an error.
type server struct {
	*testing.T
	machine machine
	access  app.Access
	stop    func(how func(*app.Server, context.Context) error)

	ecs     *ecs.Client
	elb     *elb.Client
	scaling *applicationautoscaling.Client
	metrics *cloudwatch.Client
	logs    *cloudwatchlogs.Client
	ecr     *ecr.Client
	iam     *iam.Client
	sts     *sts.Client
	network demo.Network
}

func serve(t *testing.T, data string, m machine) *server {
	t.Helper()
	cfg := app.Default()
	cfg.Data, cfg.Listen, cfg.Engine = data, "127.0.0.1:0", m
	srv, err := app.Open(t.Context(), cfg, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	enough := errors.New("the test has seen enough")
	s := &server{T: t, machine: m, access: srv.Access()}
	s.stop = func(how func(*app.Server, context.Context) error) {
		cancel(enough)
		if err := <-ended; !errors.Is(err, enough) {
			t.Error(err)
		}
		if err := how(srv, ctx); err != nil {
			t.Error(err)
		}
	}
	c := aws.Config{
		Region: s.access.Region, BaseEndpoint: aws.String(s.access.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(s.access.AccessKey, s.access.SecretKey, ""),
	}
	s.ecs, s.elb, s.scaling = ecs.NewFromConfig(c), elb.NewFromConfig(c), applicationautoscaling.NewFromConfig(c)
	s.metrics, s.logs, s.ecr = cloudwatch.NewFromConfig(c), cloudwatchlogs.NewFromConfig(c), ecr.NewFromConfig(c)
	s.iam, s.sts = iam.NewFromConfig(c), sts.NewFromConfig(c)
	s.network = must(demo.FindNetwork(t.Context(), demo.Server{Endpoint: s.access.Endpoint, Region: s.access.Region, AccessKey: s.access.AccessKey, SecretKey: s.access.SecretKey}))(t)
	return s
}

// must unwraps an answer: must(client.Call(…))(t).
func must[V any](v V, err error) func(t *testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// until polls until holds returns "", which else names what is still missing.
func (s *server) until(holds func() string) {
	s.Helper()
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-pause.C {
		missing := holds()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("not within a minute: %s", missing)
		}
	}
}

// TestWholeServer runs every part as the binary does, but for the containers:
// who is wired to nobody fails here.
func TestWholeServer(t *testing.T) {
	m := machine{fake.New(fake.Config{Network: netip.MustParsePrefix("127.201.0.0/16")})}
	data := t.TempDir() + "/data"
	s := serve(t, data, m)
	s.define()
	group, url := s.balance()
	s.create(group)
	s.stable(2)
	s.answered(url)
	s.describeTasks()
	s.interfaces()
	s.output()
	s.identities()
	s.scalesOut()
	s.healthPage()

	s.stop((*app.Server).Close)
	s = serve(t, data, m)
	s.stable(4)
	s.answered(url)
	s.scalesIn()
	s.stop((*app.Server).Destroy)
	if left := m.Running(); len(left) > 0 {
		t.Errorf("tasks %v are left of a destroyed server", left)
	}
}

// define registers a definition of a container that serves, one that prints,
// and one that ends with 3.
func (s *server) define() {
	s.Helper()
	ctx := s.Context()
	must(s.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String("app")}))(s.T)
	container := func(name string, essential bool, command ...string) ecstypes.ContainerDefinition {
		return ecstypes.ContainerDefinition{
			Name: aws.String(name), Image: aws.String("app:1"), Essential: aws.Bool(essential), Command: command,
			LogConfiguration: &ecstypes.LogConfiguration{LogDriver: ecstypes.LogDriverAwslogs, Options: map[string]string{
				"awslogs-group": "/ecs/app", "awslogs-region": s.access.Region, "awslogs-stream-prefix": "app", "awslogs-create-group": "true",
			}},
		}
	}
	web := container("web", true, "serve", "8080")
	web.PortMappings = []ecstypes.PortMapping{{ContainerPort: aws.Int32(8080)}}
	must(s.ecs.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("app"), NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		ContainerDefinitions:    []ecstypes.ContainerDefinition{web, container("greeter", false, "print", "hello"), container("brief", false, "exit", "3", "20")},
	}))(s.T)
}

// balance returns a target group and the URL of a load balancer before it.
func (s *server) balance() (group, url string) {
	s.Helper()
	ctx := s.Context()
	tg := must(s.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String("app"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080), TargetType: elbtypes.TargetTypeEnumIp,
		VpcId: aws.String(s.network.VPC), HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2),
	}))(s.T).TargetGroups[0].TargetGroupArn
	lb := must(s.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("app"), Subnets: s.network.Subnets}))(s.T).LoadBalancers[0]
	l := must(net.Listen("tcp", "127.0.0.1:0"))(s.T)
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	must(s.elb.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(int32(port)),
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: tg}},
	}))(s.T)
	return *tg, fmt.Sprintf("http://%s:%d/", *lb.AvailabilityZones[0].LoadBalancerAddresses[0].IpAddress, port)
}

func (s *server) create(group string) {
	s.Helper()
	ctx := s.Context()
	must(s.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{}))(s.T)
	must(s.ecs.CreateService(ctx, &ecs.CreateServiceInput{
		ServiceName: aws.String("app"), TaskDefinition: aws.String("app"), DesiredCount: aws.Int32(2), LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: s.network.Subnets}},
		LoadBalancers:        []ecstypes.LoadBalancer{{TargetGroupArn: aws.String(group), ContainerName: aws.String("web"), ContainerPort: aws.Int32(8080)}},
	}))(s.T)
}

func (s *server) service() ecstypes.Service {
	s.Helper()
	return must(s.ecs.DescribeServices(s.Context(), &ecs.DescribeServicesInput{Services: []string{"app"}}))(s.T).Services[0]
}

// stable waits for n running tasks and a completed deployment.
func (s *server) stable(n int32) {
	s.Helper()
	s.until(func() string {
		svc := s.service()
		if svc.RunningCount == n && svc.DesiredCount == n && svc.PendingCount == 0 && len(svc.Deployments) == 1 &&
			svc.Deployments[0].RolloutState == ecstypes.DeploymentRolloutStateCompleted {
			return ""
		}
		said := ""
		for _, e := range svc.Events {
			said += "\n" + *e.Message
		}
		return fmt.Sprintf("%d tasks; %d run, %d are desired%s", n, svc.RunningCount, svc.DesiredCount, said)
	})
}

// answered asks through the load balancer until every task has answered.
func (s *server) answered(url string) {
	s.Helper()
	seen := map[string]bool{}
	s.until(func() string {
		status, body := s.get(url)
		if status != http.StatusOK {
			return fmt.Sprintf("%s answers %d %s", url, status, body)
		}
		seen[strings.TrimSpace(body)] = true
		for _, id := range s.machine.Running() {
			if !seen[id] {
				return "an answer of task " + id
			}
		}
		return ""
	})
}

func (s *server) get(url string) (int, string) {
	s.Helper()
	req := must(http.NewRequestWithContext(s.Context(), http.MethodGet, url, nil))(s.T)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	return resp.StatusCode, string(must(io.ReadAll(resp.Body))(s.T))
}

func (s *server) tasks() []ecstypes.Task {
	s.Helper()
	list := must(s.ecs.ListTasks(s.Context(), &ecs.ListTasksInput{ServiceName: aws.String("app")}))(s.T)
	return must(s.ecs.DescribeTasks(s.Context(), &ecs.DescribeTasksInput{Tasks: list.TaskArns}))(s.T).Tasks
}

// describeTasks checks what ECS says of the containers, those that have ended
// while their task goes on included.
func (s *server) describeTasks() {
	s.Helper()
	digest := must(s.machine.Resolve(s.Context(), runtime.Image{Reference: "app:1"}))(s.T)
	s.until(func() string {
		for _, task := range s.tasks() {
			for _, c := range task.Containers {
				status, code := aws.ToString(c.LastStatus), -1
				if c.ExitCode != nil {
					code = int(*c.ExitCode)
				}
				got := fmt.Sprintf("%s %s %d", *c.Name, status, code)
				if !slices.Contains([]string{"web RUNNING -1", "greeter STOPPED 0", "brief STOPPED 3"}, got) {
					return "got container " + got
				}
				if *c.ImageDigest != digest {
					return fmt.Sprintf("%s runs %s, not %s", *c.Name, *c.ImageDigest, digest)
				}
			}
		}
		return ""
	})
}

// interfaces checks that EC2 knows the network interfaces that ECS names.
func (s *server) interfaces() {
	s.Helper()
	known := s.ec2("DescribeNetworkInterfaces")
	for _, task := range s.tasks() {
		details := map[string]string{}
		for _, a := range task.Attachments {
			for _, kv := range a.Details {
				details[*kv.Name] = *kv.Value
			}
		}
		for _, name := range []string{"networkInterfaceId", "privateIPv4Address", "subnetId"} {
			if v := details[name]; v == "" || !strings.Contains(known, ">"+v+"<") {
				s.Errorf("%s %q of task %s is not in %s", name, v, *task.TaskArn, known)
			}
		}
	}
}

// ec2 calls an operation, with parameters after an ampersand: the SDK's client is
// very large.
func (s *server) ec2(action string) string {
	s.Helper()
	body := "Action=" + action + "&Version=2016-11-15"
	req := must(http.NewRequestWithContext(s.Context(), http.MethodPost, s.access.Endpoint+"/", strings.NewReader(body)))(s.T)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sum := sha256.Sum256([]byte(body))
	key := aws.Credentials{AccessKeyID: s.access.AccessKey, SecretAccessKey: s.access.SecretKey}
	err := v4.NewSigner().SignHTTP(s.Context(), key, req, hex.EncodeToString(sum[:]), "ec2", s.access.Region, time.Now())
	if err != nil {
		s.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp := must(client.Do(req))(s.T)
	defer resp.Body.Close()
	answer := string(must(io.ReadAll(resp.Body))(s.T))
	if resp.StatusCode != http.StatusOK {
		s.Fatalf("%s: %d %s", action, resp.StatusCode, answer)
	}
	return answer
}

func (s *server) output() {
	s.Helper()
	s.until(func() string {
		streams := must(s.logs.DescribeLogStreams(s.Context(), &cloudwatchlogs.DescribeLogStreamsInput{
			LogGroupName: aws.String("/ecs/app"), LogStreamNamePrefix: aws.String("app/greeter/"),
		}))(s.T).LogStreams
		if len(streams) != 2 {
			return fmt.Sprintf("%d streams of the greeters", len(streams))
		}
		events := must(s.logs.GetLogEvents(s.Context(), &cloudwatchlogs.GetLogEventsInput{
			LogGroupName: aws.String("/ecs/app"), LogStreamName: streams[0].LogStreamName, StartFromHead: aws.Bool(true),
		}))(s.T).Events
		if len(events) != 1 || *events[0].Message != "hello" {
			return "hello in the log"
		}
		return ""
	})
}

func (s *server) identities() {
	s.Helper()
	who := must(s.sts.GetCallerIdentity(s.Context(), &sts.GetCallerIdentityInput{}))(s.T)
	if *who.Account != app.Default().Place.Account {
		s.Errorf("got account %s", *who.Account)
	}
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	must(s.iam.CreateRole(s.Context(), &iam.CreateRoleInput{RoleName: aws.String("app"), AssumeRolePolicyDocument: aws.String(trust)}))(s.T)
}

const resource = "service/default/app"

// scalesOut has the tasks use all of their CPU under a target of half of it.
func (s *server) scalesOut() {
	s.Helper()
	ctx := s.Context()
	must(s.scaling.RegisterScalableTarget(ctx, &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: aastypes.ServiceNamespaceEcs, ResourceId: aws.String(resource), MinCapacity: aws.Int32(1), MaxCapacity: aws.Int32(4),
		ScalableDimension: aastypes.ScalableDimensionECSServiceDesiredCount,
	}))(s.T)
	policy := must(s.scaling.PutScalingPolicy(ctx, &applicationautoscaling.PutScalingPolicyInput{
		ServiceNamespace: aastypes.ServiceNamespaceEcs, ResourceId: aws.String(resource), PolicyName: aws.String("cpu"),
		ScalableDimension: aastypes.ScalableDimensionECSServiceDesiredCount, PolicyType: aastypes.PolicyTypeTargetTrackingScaling,
		TargetTrackingScalingPolicyConfiguration: &aastypes.TargetTrackingScalingPolicyConfiguration{
			TargetValue:                   aws.Float64(50),
			PredefinedMetricSpecification: &aastypes.PredefinedMetricSpecification{PredefinedMetricType: aastypes.MetricTypeECSServiceAverageCPUUtilization},
		},
	}))(s.T)
	if len(policy.Alarms) != 2 {
		s.Errorf("got %d alarms of the policy, want 2", len(policy.Alarms))
	}
	var names []string
	for _, a := range policy.Alarms {
		names = append(names, *a.AlarmName)
	}
	if got := must(s.metrics.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: names}))(s.T).MetricAlarms; len(got) != 2 {
		s.Errorf("got alarms %v, want those of the policy", got)
	}
	s.use(1)
	s.stable(4)
	activities := must(s.scaling.DescribeScalingActivities(ctx, &applicationautoscaling.DescribeScalingActivitiesInput{
		ServiceNamespace: aastypes.ServiceNamespaceEcs, ResourceId: aws.String(resource),
	}))(s.T).ScalingActivities
	if len(activities) == 0 {
		s.Error("no scaling activity of a service that was scaled")
	}
	s.until(func() string {
		points := must(s.metrics.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
			Namespace: aws.String("AWS/ECS"), MetricName: aws.String("CPUUtilization"), Period: aws.Int32(60),
			Dimensions: []cwtypes.Dimension{{Name: aws.String("ClusterName"), Value: aws.String("default")}, {Name: aws.String("ServiceName"), Value: aws.String("app")}},
			StartTime:  aws.Time(time.Now().Add(-5 * time.Minute)), EndTime: aws.Time(time.Now().Add(time.Minute)),
			Statistics: []cwtypes.Statistic{cwtypes.StatisticMaximum},
		}))(s.T).Datapoints
		for _, p := range points {
			if *p.Maximum > 90 {
				return ""
			}
		}
		return fmt.Sprintf("a datapoint of tasks that use all of their CPU, in %d", len(points))
	})
}

// use has every task consume a share of its quarter of a vCPU.
func (s *server) use(share float64) {
	s.machine.Set(func(c *fake.Config) { c.CPU = share / 4 })
	for _, id := range s.machine.Running() {
		s.machine.SetCPU(id, share/4)
	}
}

// scalesIn lowers the bounds: the policy's state has outlived the restart.
func (s *server) scalesIn() {
	s.Helper()
	s.use(0)
	must(s.scaling.RegisterScalableTarget(s.Context(), &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: aastypes.ServiceNamespaceEcs, ResourceId: aws.String(resource), MaxCapacity: aws.Int32(1),
		ScalableDimension: aastypes.ScalableDimensionECSServiceDesiredCount,
	}))(s.T)
	s.stable(1)
}

func (s *server) healthPage() {
	s.Helper()
	if status, body := s.get(s.access.Endpoint + "/_neargate/health"); status != http.StatusOK {
		s.Errorf("the health page answers %d %s", status, body)
	}
}
