package scenario_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// machineProgram returns where a program of this machine is, or skips the test.
func machineProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("needs ", name, " on this machine, to run in a container")
	}
	return path
}

// once runs a command of an image that was pushed by push, and returns how it
// ended and what it printed.
func (c *client) once(image string, command ...string) (exit int32, output string) {
	c.t.Helper()
	ctx := c.t.Context()
	family := fmt.Sprintf("once-%d", time.Now().UnixNano())
	c.define(family, image, func(d *ecstypes.ContainerDefinition) {
		d.EntryPoint, d.Command, d.PortMappings = []string{"/neargate"}, command, nil
		d.LogConfiguration = &ecstypes.LogConfiguration{LogDriver: ecstypes.LogDriverAwslogs, Options: map[string]string{
			"awslogs-group": family, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "x", "awslogs-create-group": "true",
		}}
	})
	task := must[*ecs.RunTaskOutput](c.t)(c.ecs.RunTask(ctx, &ecs.RunTaskInput{
		TaskDefinition: aws.String(family), LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: c.network.Subnets[:1]}},
	})).Tasks[0]
	eventually(c.t, 60*time.Second, "the task to end", func() error {
		task = must[*ecs.DescribeTasksOutput](c.t)(c.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: []string{*task.TaskArn}})).Tasks[0]
		if *task.LastStatus != "STOPPED" {
			return fmt.Errorf("it is %s", *task.LastStatus)
		}
		return nil
	})
	if task.Containers[0].ExitCode == nil {
		c.t.Fatalf("%v did not start: %s", command, aws.ToString(task.StoppedReason))
	}
	events, err := c.logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(family)})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, e := range events.Events {
		output += *e.Message + "\n"
	}
	return *task.Containers[0].ExitCode, output
}

// TestTasksReachLoadBalancersByName: the C library's resolver and curl, in a
// container, find the load balancer by each of its names, and get an answer
// through it.
func TestTasksReachLoadBalancersByName(t *testing.T) {
	getent, curl := machineProgram(t, "getent"), machineProgram(t, "curl")
	s := serve(t, t.TempDir(), "--domain", "example.test", "--dns", "127.0.0.1:5301")
	c := newClient(s)
	ctx := t.Context()
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{}))
	c.define("web", c.pushApp(), nil)
	tg, address := c.balance("Shop")
	c.service("web", "web", 1, tg)
	c.target(tg, "healthy", "")
	defer c.delete("web")

	lb := must[*elb.DescribeLoadBalancersOutput](t)(c.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})).LoadBalancers[0]
	if *lb.DNSName != "shop.example.test" {
		t.Errorf("DNSName is %s", *lb.DNSName)
	}
	_, port, _ := net.SplitHostPort(address)
	resolver, fetcher := c.push("getent", getent), c.push("curl", curl)
	exit, output := c.once(resolver, "ahostsv4", "Shop.Example.test")
	inside, err := netip.ParseAddr(strings.Fields(output + " -")[0])
	if exit != 0 || err != nil || !netip.MustParsePrefix("10.0.0.0/8").Contains(inside) && !netip.MustParsePrefix("172.16.0.0/12").Contains(inside) {
		t.Fatalf("getent ended with %d and printed %q", exit, output)
	}
	exit, output = c.once(resolver, "hosts", inside.String())
	if name := "ip-" + strings.ReplaceAll(inside.String(), ".", "-") + ".ec2.internal"; exit != 0 || !strings.Contains(output, name) {
		t.Errorf("the way back: %d, %q", exit, output)
	}
	if exit, output = c.once(fetcher, "-sS", "--fail", "http://shop.example.test:"+port+"/"); exit != 0 || !strings.HasPrefix(output, "Hello from ip-") {
		t.Errorf("curl ended with %d and printed %q", exit, output)
	}
	if exit, output = c.once(fetcher, "-sS", "-X", "POST", "-H", "X-Amz-Target: AmazonEC2ContainerServiceV20141113.ListClusters", "http://neargate.internal:4566/"); exit != 0 || !strings.Contains(output, "MissingAuthenticationToken") {
		t.Errorf("the APIs by name: %d, %q", exit, output)
	}
	if exit, output = c.once(resolver, "ahostsv4", "gone.example.test"); exit != 2 || output != "" {
		t.Errorf("a name that is not there: %d, %q", exit, output)
	}

	// The programs of this machine reach it where they do.
	found, err := (&net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:5301")
	}}).LookupHost(ctx, "shop.example.test.")
	if host, _, _ := net.SplitHostPort(address); err != nil || !slices.Equal(found, []string{host}) {
		t.Errorf("on this machine: %v, %v, want %s", found, err, address)
	}
	resp := must[*http.Response](t)(http.Get("http://" + net.JoinHostPort(found[0], port) + "/"))
	_ = resp.Body.Close()
}
