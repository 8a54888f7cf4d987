package scenario_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/cli/demo"
)

// testVPC returns three subnets of a VPC and the VPC's range: of the networks for
// benchmarks (RFC 2544), which no machine has, another for each process.
func testVPC() (whole, a, b, small netip.Prefix) {
	pid := os.Getpid()
	at := func(last, bits int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, byte(18 + pid>>8&1), byte(pid), byte(last)}), bits)
	}
	return at(0, 24), at(0, 26), at(64, 26), at(128, 28)
}

// made returns the ID that an answer of EC2 has in an element.
func (s *server) made(name, action string, parameters ...string) string {
	s.t.Helper()
	answer := s.ec2(action, parameters...)
	id := element(answer, name)
	if id == "" {
		s.t.Fatalf("%s: %s", action, answer)
	}
	return id
}

// makeVPC makes a VPC with an internet gateway and three subnets, of which the
// last is small.
func (s *server) makeVPC() (n demo.Network, small string) {
	s.t.Helper()
	whole, a, b, few := testVPC()
	n.VPC = s.made("vpcId", "CreateVpc", "CidrBlock="+whole.String())
	gateway := s.made("internetGatewayId", "CreateInternetGateway")
	s.ec2("AttachInternetGateway", "VpcId="+n.VPC, "InternetGatewayId="+gateway)
	subnet := func(p netip.Prefix, zone string) string {
		return s.made("subnetId", "CreateSubnet", "VpcId="+n.VPC, "CidrBlock="+p.String(), "AvailabilityZone="+s.Region+zone)
	}
	n.Subnets = []string{subnet(a, "a"), subnet(b, "b")}
	return n, subnet(few, "c")
}

// defineTenant registers the program in testdata/tenant, which shows what it is
// like inside.
func (c *client) defineTenant() {
	c.t.Helper()
	exe := filepath.Join(c.t.TempDir(), "tenant")
	build := exec.Command("go", "build", "-o", exe, "./testdata/tenant")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		c.t.Fatalf("build tenant: %v\n%s", err, out)
	}
	c.define("tenant", c.push("tenant", exe), func(d *ecstypes.ContainerDefinition) {
		d.Environment = []ecstypes.KeyValuePair{{Name: aws.String("TENANT_LISTEN"), Value: aws.String(":8080")}}
	})
}

// from returns what a tenant at an address answers; "" unless it is well.
func (c *client) from(address, path string) string {
	c.t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get("http://" + address + path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return ""
	}
	return string(must[[]byte](c.t)(io.ReadAll(resp.Body)))
}

// asks returns what a URL answers a tenant.
func (c *client) asks(address, target string) string {
	c.t.Helper()
	return c.from(address, "/inside/get?url="+url.QueryEscape(target))
}

// details are those of a task's network interface.
func details(task ecstypes.Task) map[string]string {
	out := map[string]string{}
	for _, d := range task.Attachments[0].Details {
		out[*d.Name] = *d.Value
	}
	return out
}

// TestServiceInAVPC: tasks and load balancer of a VPC that was made have
// addresses of its subnets, everywhere that tells of them, and are reached by
// these; tasks of another VPC do not reach them; a server that is killed comes
// back to them; the VPC can be deleted after them.
func TestServiceInAVPC(t *testing.T) {
	data := t.TempDir()
	s := serve(t, data)
	c := newClient(s)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	c.defineTenant()
	network, _ := s.makeVPC()
	_, range1, _, _ := testVPC()
	in := *c
	in.network = network
	tg, address := in.balance("shop")
	in.service("shop", "tenant", 2, tg)
	in.service("plain", "tenant", 1, "")
	c.service("other", "tenant", 1, "")
	for _, name := range []string{"shop", "plain", "other"} {
		c.stable(name)
	}
	eventually(t, 30*time.Second, "both targets to be healthy", func() error {
		for _, h := range must[*elb.DescribeTargetHealthOutput](t)(c.elb.DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: &tg})).TargetHealthDescriptions {
			if h.TargetHealth.State != elbtypes.TargetHealthStateEnumHealthy {
				return fmt.Errorf("%s is %s", *h.Target.Id, h.TargetHealth.State)
			}
		}
		return nil
	})

	var at []string
	interfaces := s.ec2("DescribeNetworkInterfaces", "Filter.1.Name=subnet-id", "Filter.1.Value.1="+network.Subnets[0])
	for _, task := range c.tasks("shop", ecstypes.DesiredStatusRunning) {
		d := details(task)
		ip := must[netip.Addr](t)(netip.ParseAddr(d["privateIPv4Address"]))
		if !range1.Contains(ip) || d["subnetId"] != network.Subnets[0] || !strings.Contains(interfaces, "<privateIpAddress>"+ip.String()+"<") {
			t.Errorf("the task has %v, want an address of %s, and its interface among %s", d, range1, interfaces)
		}
		at = append(at, ip.String()+":8080")
	}
	lb := must[*elb.DescribeLoadBalancersOutput](t)(c.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{})).LoadBalancers[0]
	tells := func(what, got, want string) {
		t.Helper()
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q in it", what, got, want)
		}
	}
	var inside struct{ Env map[string]string }
	if err := json.Unmarshal([]byte(c.from(at[0], "/inside")), &inside); err != nil {
		t.Fatal(err)
	}
	meta := c.asks(at[0], inside.Env["ECS_CONTAINER_METADATA_URI_V4"]+"/task")
	tells("metadata", meta, `"IPv4SubnetCIDRBlock":"`+range1.String()+`"`)
	tells("metadata", meta, `"SubnetGatewayIpv4Address":"`+netip.PrefixFrom(range1.Addr().Next(), 26).String()+`"`)
	host, _, _ := strings.Cut(at[0], ":")
	tells("its own name", c.from(at[0], "/inside/resolve?name=ip-"+strings.ReplaceAll(host, ".", "-")+".ec2.internal"), host)
	tells("at the VPC's name server", c.from(at[0], "/inside/resolve?name="+*lb.DNSName+"@169.254.169.253"), "198.")
	source := c.from(at[0], "/inside/resolve?name="+*lb.DNSName)
	if a, err := netip.ParseAddr(source); err != nil || !range1.Contains(a) {
		t.Errorf("the load balancer is %q to its tasks, want an address of %s", source, range1)
	}
	_, port, _ := strings.Cut(address, ":")
	tells("by the load balancer's name", c.asks(at[0], "http://"+*lb.DNSName+":"+port+"/inside"), "TENANT_LISTEN")
	plain := details(one(c.tasks("plain", ecstypes.DesiredStatusRunning)))["privateIPv4Address"] + ":8080"
	tells("a neighbour", c.asks(at[0], "http://"+plain+"/inside"), "TENANT_LISTEN")

	other := details(one(c.tasks("other", ecstypes.DesiredStatusRunning)))["privateIPv4Address"] + ":8080"
	for from, to := range map[string]string{other: at[0], at[0]: other} {
		if got := c.apart(from, to); got != "" {
			t.Errorf("%s reaches %s of another VPC: %s", from, to, got)
		}
	}

	s.stop(syscall.SIGKILL)
	s = serve(t, data)
	c, in = newClient(s), *newClient(s)
	eventually(t, 20*time.Second, "the load balancer to answer after kill -9", func() error {
		resp, err := http.Get("http://" + address + "/inside")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("it answers %s", resp.Status)
		}
		return nil
	})
	for _, a := range at {
		tells("a task after kill -9", c.asks(a, "http://"+*lb.DNSName+":"+port+"/inside"), "TENANT_LISTEN")
	}
	for _, name := range []string{"shop", "plain", "other"} {
		must[*ecs.DeleteServiceOutput](t)(c.ecs.DeleteService(t.Context(), &ecs.DeleteServiceInput{Service: aws.String(name), Force: aws.Bool(true)}))
	}
	must[*elb.DeleteLoadBalancerOutput](t)(c.elb.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn}))
	eventually(t, 60*time.Second, "the subnet to be deleted after its tasks", func() error {
		if answer := s.ec2("DeleteSubnet", "SubnetId="+network.Subnets[0]); element(answer, "return") != "true" {
			return fmt.Errorf("got %s", answer)
		}
		return nil
	})
	if out := string(must[[]byte](t)(exec.Command("ip", "route", "show", range1.String()).CombinedOutput())); out != "" {
		t.Errorf("the way to the subnet is left: %s", out)
	}
}

// apart returns what one tenant hears of another that it should not reach.
func (c *client) apart(from, to string) string {
	c.t.Helper()
	client := http.Client{Timeout: 2 * time.Second}
	resp, err := client.Get("http://" + from + "/inside/get?url=" + url.QueryEscape("http://"+to+"/inside"))
	if err != nil {
		return "" // it waits for an answer
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return ""
	}
	return string(must[[]byte](c.t)(io.ReadAll(resp.Body)))
}

// one returns the only element.
func one[T any](all map[string]T) (v T) {
	for _, v = range all {
		return v
	}
	return v
}

// TestVPCThatDoesNotFit: a full subnet stops a task in ECS's words, and a service
// with a target group of another VPC tells that its tasks are not registered.
func TestVPCThatDoesNotFit(t *testing.T) {
	s := serve(t, t.TempDir())
	c := newClient(s)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	c.defineTenant()
	network, small := s.makeVPC()
	in := *c
	in.network = network
	far, _ := c.balance("far")
	in.service("far", "tenant", 1, far)

	for i := range 11 { // as many as AWS leaves of 16
		must[*elb.CreateLoadBalancerOutput](t)(c.elb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
			Name: aws.String(fmt.Sprint("full-", i)), Subnets: []string{small, network.Subnets[0]}, Scheme: elbtypes.LoadBalancerSchemeEnumInternal,
		}))
	}
	task := must[*ecs.RunTaskOutput](t)(c.ecs.RunTask(t.Context(), &ecs.RunTaskInput{
		TaskDefinition: aws.String("tenant"), LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: []string{small}}},
	})).Tasks[0]
	eventually(t, 30*time.Second, "the task to stop", func() error {
		task = must[*ecs.DescribeTasksOutput](t)(c.ecs.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{*task.TaskArn}})).Tasks[0]
		if *task.LastStatus != "STOPPED" {
			return fmt.Errorf("it is %s", *task.LastStatus)
		}
		return nil
	})
	want := "Unexpected EC2 error while attempting to Create Network Interface in subnet '" + small + "': InsufficientFreeAddressesInSubnet"
	if *task.StoppedReason != want || task.StopCode != ecstypes.TaskStopCodeTaskFailedToStart {
		t.Errorf("got %s %q, want %q", task.StopCode, *task.StoppedReason, want)
	}
	eventually(t, 30*time.Second, "the service to tell that its task is not registered", func() error {
		if got := messages(c.describe("far")); !strings.Contains(got, "(service far) failed to register targets in (target-group "+far+") with (error The Availability Zone for IP address '") {
			return fmt.Errorf("its events are %s", got)
		}
		return nil
	})
}
