package scenario_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
)

// connected creates a service with Service Connect on.
func (c *client) connected(name string, count int, group string, offers ...ecstypes.ServiceConnectService) {
	c.t.Helper()
	must[*ecs.CreateServiceOutput](c.t)(c.ecs.CreateService(c.t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String(name), TaskDefinition: aws.String("caller"), DesiredCount: aws.Int32(int32(count)), LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{
			Subnets: c.network.Subnets, SecurityGroups: []string{group},
		}},
		ServiceConnectConfiguration: &ecstypes.ServiceConnectConfiguration{Enabled: true, Services: offers},
	}))
	c.stable(name)
}

// addressOf returns the address of a service's only task.
func (c *client) addressOf(service string) string {
	c.t.Helper()
	for _, task := range c.tasks(service, ecstypes.DesiredStatusRunning) {
		for _, d := range task.Attachments[0].Details {
			if *d.Name == "privateIPv4Address" {
				return *d.Value
			}
		}
	}
	c.t.Fatalf("no task of %s", service)
	return ""
}

// ask has the task at an address ask for a URL, and returns the answers.
func ask(at, what string, n int) ([]string, error) {
	resp, err := http.Get(fmt.Sprintf("http://%s:8080/call?n=%d&url=%s", at, n, url.QueryEscape(what)))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return strings.Split(strings.TrimSpace(string(body)), "\n"), err
}

// TestServiceConnect: a service reaches another by its alias, whatever happens to
// the other's tasks; who takes no part does not, nor does one that the security
// groups keep apart.
func TestServiceConnect(t *testing.T) {
	data := t.TempDir()
	s := serve(t, data)
	c := newClient(s)
	ctx := t.Context()
	exe := filepath.Join(t.TempDir(), "caller")
	build := exec.Command("go", "build", "-o", exe, "./testdata/caller")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build caller: %v\n%s", err, out)
	}
	c.define("caller", c.push("caller", exe), func(d *ecstypes.ContainerDefinition) {
		d.PortMappings[0].Name, d.PortMappings[0].AppProtocol = aws.String("http"), ecstypes.ApplicationProtocolHttp
	})
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{
		ServiceConnectDefaults: &ecstypes.ClusterServiceConnectDefaultsRequest{Namespace: aws.String("shop")},
	}))
	clients, servers := s.group("clients"), s.group("servers")
	rule := []string{"GroupId=" + servers, "IpPermissions.1.IpProtocol=tcp", "IpPermissions.1.FromPort=8080", "IpPermissions.1.ToPort=8080", "IpPermissions.1.Groups.1.GroupId=" + clients}
	if answer := s.ec2("AuthorizeSecurityGroupIngress", rule...); element(answer, "return") != "true" {
		t.Fatal(answer)
	}
	offer := ecstypes.ServiceConnectService{
		PortName: aws.String("http"), DiscoveryName: aws.String("orders"),
		ClientAliases: []ecstypes.ServiceConnectClientAlias{{Port: aws.Int32(80), DnsName: aws.String("orders")}},
	}
	c.connected("orders", 2, servers, offer)
	c.connected("web", 1, clients)
	c.connected("apart", 1, servers)
	c.service("outside", "caller", 1, "")
	c.stable("outside")
	defer func() {
		for _, name := range []string{"orders", "web", "apart", "outside"} {
			_, _ = c.ecs.DeleteService(t.Context(), &ecs.DeleteServiceInput{Service: aws.String(name), Force: aws.Bool(true)})
		}
		destroy(t, s, c)
	}()
	if known, err := c.discovered(s); err != nil || known != 2 {
		t.Errorf("Cloud Map knows %d instances, %v; want those of the two tasks", known, err)
	}
	d := c.describe("orders").Deployments[0]
	if d.ServiceConnectConfiguration == nil || !d.ServiceConnectConfiguration.Enabled || len(d.ServiceConnectResources) != 1 || *d.ServiceConnectResources[0].DiscoveryName != "orders" {
		t.Errorf("described as %+v, %+v", d.ServiceConnectConfiguration, d.ServiceConnectResources)
	}

	web := c.addressOf("web")
	served := map[string]int{}
	for _, a := range must[[]string](t)(ask(web, "http://orders/", 10)) {
		fields := strings.Fields(a)
		if len(fields) != 4 || fields[0] != "200" || fields[2] != "orders" || fields[3] != web {
			t.Fatalf("got %q, want a name, the host orders and the client %s", a, web)
		}
		served[fields[1]]++
	}
	if len(served) != 2 || served[c.hostOf("orders")] != 5 {
		t.Errorf("served by %v, want turns of two", served)
	}
	if got := must[[]string](t)(ask(c.addressOf("outside"), "http://orders/", 1)); !strings.Contains(got[0], "lookup orders") {
		t.Errorf("a service without Service Connect got %q, want an unknown name", got)
	}
	if got := must[[]string](t)(ask(c.addressOf("apart"), "http://orders/", 1)); !strings.HasPrefix(got[0], "503") {
		t.Errorf("a service that the security groups keep apart got %q, want 503", got)
	}

	// Under load the tasks are scaled, replaced, and the server is restarted.
	var calls sync.WaitGroup
	stop := make(chan struct{})
	var failed []string
	asked := 0
	calls.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			all, err := ask(web, "http://orders/", 20)
			if err != nil {
				failed = append(failed, err.Error())
				return
			}
			for _, a := range all {
				if asked++; !strings.HasPrefix(a, "200 ") {
					failed = append(failed, a)
				}
			}
		}
	})
	for _, count := range []int32{4, 1, 2} {
		must[*ecs.UpdateServiceOutput](t)(c.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{Service: aws.String("orders"), DesiredCount: aws.Int32(count)}))
		c.stable("orders")
	}
	must[*ecs.UpdateServiceOutput](t)(c.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{Service: aws.String("orders"), ForceNewDeployment: true}))
	c.stable("orders")
	close(stop)
	calls.Wait()
	if len(failed) > 0 {
		t.Errorf("%d of %d requests failed while tasks came and went: %.5q", len(failed), asked, failed)
	}
	t.Logf("%d requests while tasks came and went", asked)
	eventually(t, 20*time.Second, "metrics", func() error { return c.connectMetric("RequestCount", "DiscoveryName", "orders") })
	if err := c.connectMetric("HTTPCode_Target_2XX_Count", "TargetDiscoveryName", "web"); err != nil {
		t.Error(err)
	}

	s.stop(syscall.SIGTERM)
	*s = *serve(t, data)
	c2 := newClient(s)
	*c = *c2
	if c.addressOf("web") != web {
		t.Fatal("the client's task did not outlive the server")
	}
	eventually(t, 10*time.Second, "the alias after a restart", func() error {
		all, err := ask(web, "http://orders/", 1)
		if err == nil && !strings.HasPrefix(all[0], "200 ") {
			err = errors.New(all[0])
		}
		return err
	})

	// What nobody offers any more is forgotten by Cloud Map, but not before.
	if known, err := c.discovered(s); err != nil || known != 2 {
		t.Errorf("after a restart Cloud Map knows %d instances, %v", known, err)
	}

	// The rule goes, and with it the way.
	rule[0] = "GroupId=" + servers
	if answer := s.ec2("RevokeSecurityGroupIngress", rule...); element(answer, "return") != "true" {
		t.Fatal(answer)
	}
	if got := must[[]string](t)(ask(web, "http://orders/", 1)); !strings.HasPrefix(got[0], "503") {
		t.Errorf("without the rule got %q, want 503", got)
	}
	must[*ecs.DeleteServiceOutput](t)(c.ecs.DeleteService(ctx, &ecs.DeleteServiceInput{Service: aws.String("orders"), Force: aws.Bool(true)}))
	eventually(t, 30*time.Second, "the endpoint to go from Cloud Map", func() error {
		if _, err := c.discovered(s); err == nil || err.Error() != "0 services" {
			return fmt.Errorf("got %w", err)
		}
		return nil
	})
}

// discovered returns how many instances Cloud Map has of its only service.
func (c *client) discovered(s *server) (int, error) {
	cloudMap := servicediscovery.NewFromConfig(aws.Config{
		Region: s.Region, BaseEndpoint: aws.String(s.Endpoint), Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	})
	services, err := cloudMap.ListServices(c.t.Context(), &servicediscovery.ListServicesInput{})
	if err != nil {
		return 0, err
	}
	if len(services.Services) != 1 || *services.Services[0].Name != "orders" {
		return 0, fmt.Errorf("%d services", len(services.Services))
	}
	out, err := cloudMap.ListInstances(c.t.Context(), &servicediscovery.ListInstancesInput{ServiceId: services.Services[0].Id})
	if err != nil {
		return 0, err
	}
	return len(out.Instances), nil
}

// hostOf returns the host name of one of a service's tasks.
func (c *client) hostOf(service string) string {
	c.t.Helper()
	return "ip-" + strings.ReplaceAll(c.addressOf(service), ".", "-") + ".ec2.internal"
}

// connectMetric reports that a metric of Service Connect has no datapoint.
func (c *client) connectMetric(name, dimension, service string) error {
	out, err := c.metrics.GetMetricStatistics(c.t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/ECS"), MetricName: aws.String(name),
		Dimensions: []cw.Dimension{
			{Name: aws.String(dimension), Value: aws.String("orders")}, {Name: aws.String("ServiceName"), Value: aws.String(service)}, {Name: aws.String("ClusterName"), Value: aws.String("default")},
		},
		StartTime: aws.Time(time.Now().Add(-5 * time.Minute)), EndTime: aws.Time(time.Now().Add(time.Minute)),
		Period: aws.Int32(60), Statistics: []cw.Statistic{cw.StatisticSum},
	})
	if err != nil {
		return err
	}
	if len(out.Datapoints) == 0 || aws.ToFloat64(out.Datapoints[0].Sum) == 0 {
		return fmt.Errorf("no %s", name)
	}
	return nil
}
