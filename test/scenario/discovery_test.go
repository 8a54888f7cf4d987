package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	sd "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	sdtypes "github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"
)

// registry makes a service of Cloud Map in a namespace and returns its ARN.
func registry(t *testing.T, c *sd.Client, namespace, name string, kind sdtypes.RecordType) string {
	t.Helper()
	return *must[*sd.CreateServiceOutput](t)(c.CreateService(t.Context(), &sd.CreateServiceInput{
		Name: &name, NamespaceId: &namespace, HealthCheckCustomConfig: &sdtypes.HealthCheckCustomConfig{},
		DnsConfig: &sdtypes.DnsConfig{DnsRecords: []sdtypes.DnsRecord{{Type: kind, TTL: aws.Int64(5)}}},
	})).Service.Arn
}

// addressesOf returns the IPv4 addresses of a service's tasks that run, sorted.
func (c *client) addressesOf(service string) (all []string) {
	c.t.Helper()
	for _, task := range c.tasks(service, ecstypes.DesiredStatusRunning) {
		for _, d := range task.Attachments[0].Details {
			if *d.Name == "privateIPv4Address" && *task.LastStatus == "RUNNING" {
				all = append(all, *d.Value)
			}
		}
	}
	slices.Sort(all)
	return all
}

// asked returns what a name has, as this machine is answered at an address.
func asked(t *testing.T, at, name string) []string {
	t.Helper()
	found, err := (&net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, at)
	}}).LookupHost(context.WithoutCancel(t.Context()), name+".")
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return found
}

// TestServicesFindEachOther: tasks are found by the names of Cloud Map, from
// containers by Go's resolver and the C library's, through scaling, the end of a
// task, and kill -9 of the server, after which what is answered is what runs.
func TestServicesFindEachOther(t *testing.T) {
	const dns = "127.0.0.1:5302"
	data := t.TempDir()
	s := serve(t, data, "--dns", dns)
	c := newClient(s)
	ctx := t.Context()
	names := sd.New(sd.Options{
		Region: s.Region, BaseEndpoint: aws.String(s.Endpoint), Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	})
	op := must[*sd.CreatePrivateDnsNamespaceOutput](t)(names.CreatePrivateDnsNamespace(ctx, &sd.CreatePrivateDnsNamespaceInput{Name: aws.String("shop.local"), Vpc: aws.String(c.network.VPC)}))
	ns := must[*sd.GetOperationOutput](t)(names.GetOperation(ctx, &sd.GetOperationInput{OperationId: op.OperationId})).Operation.Targets["NAMESPACE"]
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{}))
	c.define("web", c.pushApp(), nil)
	join := func(name string, count int32, r ecstypes.ServiceRegistry) {
		must[*ecs.CreateServiceOutput](t)(c.ecs.CreateService(ctx, &ecs.CreateServiceInput{
			ServiceName: &name, TaskDefinition: aws.String("web"), DesiredCount: &count, LaunchType: ecstypes.LaunchTypeFargate, ServiceRegistries: []ecstypes.ServiceRegistry{r},
			NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: c.network.Subnets}},
		}))
		defer c.stable(name)
	}
	web := registry(t, names, ns, "web", sdtypes.RecordTypeA)
	join("web", 3, ecstypes.ServiceRegistry{RegistryArn: &web})
	api := registry(t, names, ns, "_api._tcp", sdtypes.RecordTypeSrv)
	join("api", 1, ecstypes.ServiceRegistry{RegistryArn: &api, ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080)})

	lookup := filepath.Join(t.TempDir(), "lookup")
	build := exec.Command("go", "build", "-o", lookup, "./testdata/lookup")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build lookup: %v\n%s", err, out)
	}
	exit, output := c.once(c.push("lookup", lookup), "A web.shop.local", "SRV _api._tcp.shop.local")
	want := "A web.shop.local: " + strings.Join(c.addressesOf("web"), " ") + "\nSRV _api._tcp.shop.local: " + c.addressesOf("api")[0] + ":8080\n"
	if exit != 0 || output != want || len(c.addressesOf("web")) != 3 {
		t.Errorf("Go's resolver ended with %d and printed\n%swant\n%s", exit, output, want)
	}
	exit, output = c.once(c.push("getent", machineProgram(t, "getent")), "ahostsv4", "web.shop.local")
	for _, a := range c.addressesOf("web") {
		if exit != 0 || !strings.Contains(output, a) {
			t.Errorf("the C library's resolver ended with %d and printed %q without %s", exit, output, a)
		}
	}

	agree := func(when string) {
		t.Helper()
		eventually(t, 20*time.Second, "the names to be what runs "+when, func() error {
			if got, want := asked(t, dns, "web.shop.local"), c.addressesOf("web"); !slices.Equal(got, want) {
				return fmt.Errorf("answered %v, running %v", got, want)
			}
			return nil
		})
	}
	must[*ecs.UpdateServiceOutput](t)(c.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{Service: aws.String("web"), DesiredCount: aws.Int32(2)}))
	c.stable("web")
	agree("after scaling in")
	// A task that is to stop is not answered any more when the call returns that
	// says so to the world: its containers may still run.
	for arn := range c.tasks("web", ecstypes.DesiredStatusRunning) {
		must[*ecs.StopTaskOutput](t)(c.ecs.StopTask(ctx, &ecs.StopTaskInput{Task: aws.String(arn)}))
		break
	}
	agree("after a task was stopped")
	c.stable("web")

	// The server is killed, and a task with it.
	s.stop(syscall.SIGKILL)
	pids := s.supervisors()
	if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s = serve(t, data, "--dns", dns)
	c = newClient(s)
	first := asked(t, dns, "web.shop.local") // waits until it is known what runs
	running := c.addressesOf("web")
	for _, a := range first {
		if !slices.Contains(running, a) {
			t.Errorf("the first answer has %s; running %v", a, running)
		}
	}
	agree("after a restart")
	for _, name := range []string{"web", "api"} {
		c.stable(name)
		c.delete(name)
	}
	agree("when nothing does")
}
