package scenario_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// ec2 calls an operation with "Name=value" parameters and returns the answer's
// XML, whether it succeeded or not.
func (s *server) ec2(action string, parameters ...string) string {
	s.t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2016-11-15"}}
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		form.Set(name, value)
	}
	body := form.Encode()
	ctx := context.WithoutCancel(s.t.Context())
	req := must[*http.Request](s.t)(http.NewRequestWithContext(ctx, http.MethodPost, s.Endpoint+"/", strings.NewReader(body)))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	hash := sha256.Sum256([]byte(body))
	key := aws.Credentials{AccessKeyID: s.AccessKey, SecretAccessKey: s.SecretKey}
	if err := v4.NewSigner().SignHTTP(ctx, key, req, hex.EncodeToString(hash[:]), "ec2", s.Region, time.Now()); err != nil {
		s.t.Fatal(err)
	}
	resp := must[*http.Response](s.t)(http.DefaultClient.Do(req))
	defer resp.Body.Close()
	return string(must[[]byte](s.t)(io.ReadAll(resp.Body)))
}

// element returns the text of the first element with the name.
func element(xml, name string) string {
	m := regexp.MustCompile("<" + name + ">([^<]*)</" + name + ">").FindStringSubmatch(xml)
	if m == nil {
		return ""
	}
	return m[1]
}

// group creates a security group.
func (s *server) group(name string) string {
	s.t.Helper()
	answer := s.ec2("CreateSecurityGroup", "GroupName="+name, "GroupDescription=of a test")
	id := element(answer, "groupId")
	if id == "" {
		s.t.Fatalf("CreateSecurityGroup: %s", answer)
	}
	return id
}

// TestSecurityGroups goes through what a user does who makes a group for the
// load balancer and one for the tasks, and forgets the rule between them.
func TestSecurityGroups(t *testing.T) {
	s := serve(t, t.TempDir())
	c := newClient(s)
	ctx := t.Context()
	c.define("web", c.pushApp(), nil)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{}))
	ofALB, ofTasks := s.group("alb"), s.group("tasks")
	tg, address := c.balance("web")
	must[*elb.ModifyTargetGroupOutput](t)(c.elb.ModifyTargetGroup(ctx, &elb.ModifyTargetGroupInput{
		TargetGroupArn: aws.String(tg), HealthyThresholdCount: aws.Int32(2),
	}))
	lb := must[*elb.DescribeLoadBalancersOutput](t)(c.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})).LoadBalancers[0]
	if len(lb.SecurityGroups) != 1 || lb.SecurityGroups[0] != c.network.SecurityGroups[0] {
		t.Errorf("a load balancer without groups has %v, want the default one", lb.SecurityGroups)
	}
	must[*elb.SetSecurityGroupsOutput](t)(c.elb.SetSecurityGroups(ctx, &elb.SetSecurityGroupsInput{
		LoadBalancerArn: lb.LoadBalancerArn, SecurityGroups: []string{ofALB},
	}))
	must[*ecs.RunTaskOutput](t)(c.ecs.RunTask(ctx, &ecs.RunTaskInput{
		TaskDefinition: aws.String("web"), LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{
			Subnets: c.network.Subnets[:1], SecurityGroups: []string{ofTasks},
		}},
	}))
	task := c.running()
	defer c.end(s, task)
	detail := map[string]string{}
	for _, d := range task.Attachments[0].Details {
		detail[*d.Name] = *d.Value
	}

	c.knows(s, task, detail, ofTasks)
	ip := detail["privateIPv4Address"]
	must[*elb.RegisterTargetsOutput](t)(c.elb.RegisterTargets(ctx, &elb.RegisterTargetsInput{
		TargetGroupArn: aws.String(tg), Targets: []elbtypes.TargetDescription{{Id: aws.String(ip), Port: aws.Int32(8080)}},
	}))
	c.target(tg, "unhealthy", "Target.Timeout")

	rule := []string{"GroupId=" + ofTasks, "IpPermissions.1.IpProtocol=tcp", "IpPermissions.1.FromPort=8080", "IpPermissions.1.ToPort=8080", "IpPermissions.1.Groups.1.GroupId=" + ofALB}
	if answer := s.ec2("AuthorizeSecurityGroupIngress", rule...); element(answer, "return") != "true" {
		t.Fatal(answer)
	}
	c.target(tg, "healthy", "")
	resp := must[*http.Response](t)(http.Get("http://" + address + "/"))
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("got %s through the load balancer", resp.Status)
	}

	for _, used := range []string{ofTasks, ofALB} {
		if answer := s.ec2("DeleteSecurityGroup", "GroupId="+used); element(answer, "Code") != "DependencyViolation" {
			t.Errorf("DeleteSecurityGroup of one in use: %s", answer)
		}
	}
	if answer := s.ec2("RevokeSecurityGroupIngress", rule...); element(answer, "return") != "true" {
		t.Fatal(answer)
	}
	c.target(tg, "unhealthy", "Target.Timeout")
	_, err := c.elb.SetSecurityGroups(ctx, &elb.SetSecurityGroupsInput{LoadBalancerArn: lb.LoadBalancerArn, SecurityGroups: []string{"sg-0123456789abcdef0"}})
	if err == nil || !strings.Contains(err.Error(), "InvalidSecurityGroup") {
		t.Errorf("a load balancer in a group that is not there: got %v", err)
	}
	_, err = c.ecs.RunTask(ctx, &ecs.RunTaskInput{
		TaskDefinition: aws.String("web"), LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{
			Subnets: c.network.Subnets[:1], SecurityGroups: []string{"sg-0123456789abcdef0"},
		}},
	})
	if err == nil || !strings.Contains(err.Error(), "The security group 'sg-0123456789abcdef0' does not exist (ErrorCode: InvalidGroup.NotFound)") {
		t.Errorf("a task in a group that is not there: got %v", err)
	}
}

// running waits for the only task and returns it.
func (c *client) running() (task ecstypes.Task) {
	c.t.Helper()
	eventually(c.t, 30*time.Second, "the task to run", func() error {
		list := must[*ecs.ListTasksOutput](c.t)(c.ecs.ListTasks(c.t.Context(), &ecs.ListTasksInput{}))
		if len(list.TaskArns) != 1 {
			return fmt.Errorf("%d tasks", len(list.TaskArns))
		}
		task = must[*ecs.DescribeTasksOutput](c.t)(c.ecs.DescribeTasks(c.t.Context(), &ecs.DescribeTasksInput{Tasks: list.TaskArns})).Tasks[0]
		if *task.LastStatus != "RUNNING" {
			return fmt.Errorf("it is %s", *task.LastStatus)
		}
		return nil
	})
	return task
}

// end stops the task, and deletes what used the groups and then those.
func (c *client) end(s *server, task ecstypes.Task) {
	c.t.Helper()
	ctx := context.WithoutCancel(c.t.Context())
	must[*ecs.StopTaskOutput](c.t)(c.ecs.StopTask(ctx, &ecs.StopTaskInput{Task: task.TaskArn}))
	eventually(c.t, 30*time.Second, "the task to end", func() error {
		if pids := s.supervisors(); len(pids) > 0 {
			return fmt.Errorf("supervisors %v", pids)
		}
		return nil
	})
	for _, lb := range must[*elb.DescribeLoadBalancersOutput](c.t)(c.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})).LoadBalancers {
		must[*elb.DeleteLoadBalancerOutput](c.t)(c.elb.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn}))
	}
	for _, name := range []string{"tasks", "alb"} {
		eventually(c.t, 10*time.Second, "the security group to go", func() error {
			if answer := s.ec2("DeleteSecurityGroup", "GroupName="+name); element(answer, "return") != "true" {
				return fmt.Errorf("DeleteSecurityGroup: %s", answer)
			}
			return nil
		})
	}
}

// knows checks that EC2 knows the network interface that ECS told of.
func (c *client) knows(s *server, task ecstypes.Task, detail map[string]string, group string) {
	c.t.Helper()
	answer := s.ec2("DescribeNetworkInterfaces", "NetworkInterfaceId.1="+detail["networkInterfaceId"])
	got := map[string]string{}
	for _, name := range []string{"privateIpAddress", "macAddress", "subnetId", "groupId", "privateDnsName", "description"} {
		got[name] = element(answer, name)
	}
	for name, want := range map[string]string{
		"privateIpAddress": detail["privateIPv4Address"], "macAddress": detail["macAddress"], "subnetId": detail["subnetId"],
		"groupId": group, "privateDnsName": detail["privateDnsName"],
	} {
		if got[name] != want || want == "" {
			c.t.Errorf("DescribeNetworkInterfaces: %s is %q, DescribeTasks says %q", name, got[name], want)
		}
	}
	if !strings.HasSuffix(got["description"], "attachment/"+*task.Attachments[0].Id) {
		c.t.Errorf("description %q is not of attachment %s", got["description"], *task.Attachments[0].Id)
	}
}

// target waits until the only target of a group is in a state.
func (c *client) target(group, state, reason string) {
	c.t.Helper()
	eventually(c.t, time.Minute, "the target to be "+state, func() error {
		out := must[*elb.DescribeTargetHealthOutput](c.t)(c.elb.DescribeTargetHealth(c.t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: aws.String(group)}))
		if len(out.TargetHealthDescriptions) != 1 {
			return fmt.Errorf("%d targets", len(out.TargetHealthDescriptions))
		}
		h := out.TargetHealthDescriptions[0].TargetHealth
		if string(h.State) != state || string(h.Reason) != reason {
			return fmt.Errorf("it is %s %s", h.State, h.Reason)
		}
		return nil
	})
}
