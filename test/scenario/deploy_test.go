package scenario_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

var (
	deployments = flag.Int("deployments", 2, "how many deployments of each strategy TestDeploymentsUnderLoad makes")
	deployRate  = flag.Int("deployment-rate", 200, "requests a second in TestDeploymentsUnderLoad")
	deployConns = flag.Int("deployment-connections", 16, "connections in TestDeploymentsUnderLoad")
)

// pair are two target groups and the rules that lead to them.
type pair struct {
	blue, green, production, test, address string
}

// alternate makes a load balancer with a production rule and a test rule, for
// requests with the header X-Test.
func (c *client) alternate(name string) pair {
	c.t.Helper()
	ctx := c.t.Context()
	var p pair
	p.blue, p.address = c.balance(name)
	p.green = *must[*elb.CreateTargetGroupOutput](c.t)(c.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String(name + "-green"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080), TargetType: elbtypes.TargetTypeEnumIp,
		VpcId: aws.String(c.network.VPC), HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2),
	})).TargetGroups[0].TargetGroupArn
	lbs := must[*elb.DescribeLoadBalancersOutput](c.t)(c.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{name}}))
	listener := must[*elb.DescribeListenersOutput](c.t)(c.elb.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: lbs.LoadBalancers[0].LoadBalancerArn})).Listeners[0]
	rule := func(priority int32, group string, when elbtypes.RuleCondition) string {
		out := must[*elb.CreateRuleOutput](c.t)(c.elb.CreateRule(ctx, &elb.CreateRuleInput{
			ListenerArn: listener.ListenerArn, Priority: aws.Int32(priority), Conditions: []elbtypes.RuleCondition{when},
			Actions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: aws.String(group)}},
		}))
		return *out.Rules[0].RuleArn
	}
	p.test = rule(1, p.green, elbtypes.RuleCondition{Field: aws.String("http-header"), HttpHeaderConfig: &elbtypes.HttpHeaderConditionConfig{HttpHeaderName: aws.String("X-Test"), Values: []string{"*"}}})
	p.production = rule(2, p.blue, elbtypes.RuleCondition{Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: []string{"*"}}})
	return p
}

func (p pair) loadBalancer() []ecstypes.LoadBalancer {
	return []ecstypes.LoadBalancer{{
		TargetGroupArn: aws.String(p.blue), ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080),
		AdvancedConfiguration: &ecstypes.AdvancedConfiguration{
			AlternateTargetGroupArn: aws.String(p.green), ProductionListenerRule: aws.String(p.production), TestListenerRule: aws.String(p.test),
			RoleArn: aws.String("arn:aws:iam::000000000000:role/ecsInfrastructureRole"),
		},
	}}
}

// strategies are all strategies, without the pauses that people take.
func strategies() []*ecstypes.DeploymentConfiguration {
	none := aws.Int32(0)
	return []*ecstypes.DeploymentConfiguration{
		{Strategy: ecstypes.DeploymentStrategyRolling},
		{Strategy: ecstypes.DeploymentStrategyBlueGreen, BakeTimeInMinutes: none},
		{Strategy: ecstypes.DeploymentStrategyLinear, BakeTimeInMinutes: none, LinearConfiguration: &ecstypes.LinearConfiguration{StepPercent: aws.Float64(20), StepBakeTimeInMinutes: none}},
		{Strategy: ecstypes.DeploymentStrategyCanary, BakeTimeInMinutes: none, CanaryConfiguration: &ecstypes.CanaryConfiguration{CanaryPercent: aws.Float64(10), CanaryBakeTimeInMinutes: none}},
	}
}

// TestDeploymentsUnderLoad deploys by every strategy, one deployment after the
// other, under steady load over connections that are kept and ones that are not.
// No request fails.
func TestDeploymentsUnderLoad(t *testing.T) {
	s := serve(t, t.TempDir())
	c := newClient(s)
	c.define("web", c.pushApp(), nil)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	p := c.alternate("web")
	c.create(p, "web", strategies()[0])
	defer destroy(t, s, c)
	c.succeeds("web") // sooner, its tasks may run and not listen yet
	for _, config := range strategies() {
		t.Run(string(config.Strategy), func(t *testing.T) {
			for _, keep := range []bool{true, false} {
				load := startLoad(t, "http://"+p.address+"/", keep)
				for range *deployments {
					c.deploy("web", config)
				}
				if sent, failed := load.end(); len(failed) > 0 || sent == 0 {
					t.Errorf("kept alive %v: %d of %d requests failed, first: %s", keep, len(failed), sent, failed[:min(len(failed), 3)])
				} else {
					t.Logf("kept alive %v: %d requests, 0 failed", keep, sent)
				}
			}
		})
	}
}

// create makes a service of two tasks between whose target groups traffic is
// shifted.
func (c *client) create(p pair, name string, config *ecstypes.DeploymentConfiguration) {
	c.t.Helper()
	must[*ecs.CreateServiceOutput](c.t)(c.ecs.CreateService(c.t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String(name), TaskDefinition: aws.String("web"), DesiredCount: aws.Int32(2), LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: c.network.Subnets}},
		LoadBalancers:        p.loadBalancer(), DeploymentConfiguration: config,
	}))
}

// deploy has a service deploy anew and waits until that has succeeded.
func (c *client) deploy(name string, config *ecstypes.DeploymentConfiguration) {
	c.t.Helper()
	must[*ecs.UpdateServiceOutput](c.t)(c.ecs.UpdateService(c.t.Context(), &ecs.UpdateServiceInput{
		Service: aws.String(name), ForceNewDeployment: true, DeploymentConfiguration: config,
	}))
	began := time.Now()
	defer func() {
		c.t.Logf("deployed from %s to %s", began.Format(time.StampMilli), time.Now().Format(time.StampMilli))
	}()
	c.succeeds(name)
}

// latest returns the newest service deployment.
func (c *client) latest(name string) ecstypes.ServiceDeployment {
	c.t.Helper()
	return must[ecstypes.ServiceDeployment](c.t)(c.newest(name))
}

// newest is latest for who asks again after an error: a machine under load may
// keep a client from reading an answer (net/http closes the connection of a
// request whose body it is asked about twice).
func (c *client) newest(name string) (d ecstypes.ServiceDeployment, err error) {
	ctx := c.t.Context()
	list, err := c.ecs.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{Service: aws.String(name), MaxResults: aws.Int32(1)})
	if err != nil {
		return d, err
	}
	out, err := c.ecs.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{
		ServiceDeploymentArns: []string{*list.ServiceDeployments[0].ServiceDeploymentArn},
	})
	if err != nil {
		return d, err
	}
	return out.ServiceDeployments[0], nil
}

// steadyLoad is requests under way until end.
type steadyLoad struct {
	stop context.CancelFunc
	wait sync.WaitGroup

	mu     sync.Mutex
	sent   int
	failed []string
}

// startLoad sends requests at a steady rate over a number of connections, each
// for one request unless keep is set.
func startLoad(t *testing.T, url string, keep bool) *steadyLoad {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &steadyLoad{stop: stop}
	transport := &http.Transport{DisableKeepAlives: !keep, MaxIdleConnsPerHost: *deployConns}
	for range *deployConns {
		l.wait.Go(func() {
			tick := time.NewTicker(time.Second * time.Duration(*deployConns) / time.Duration(*deployRate))
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					l.note(send(context.WithoutCancel(ctx), transport, url))
				}
			}
		})
	}
	t.Cleanup(func() { l.end(); transport.CloseIdleConnections() })
	return l
}

func send(ctx context.Context, by http.RoundTripper, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := by.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", resp.Status)
	}
	return nil
}

func (l *steadyLoad) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	if err != nil {
		l.failed = append(l.failed, time.Now().Format(time.StampMilli)+" "+err.Error())
	}
}

// end stops the load and returns what came of it.
func (l *steadyLoad) end() (sent int, failed []string) {
	l.stop()
	l.wait.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent, l.failed
}
