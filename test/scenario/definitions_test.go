package scenario_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// examples is where the definitions are that people publish.
const examples = "../../examples/services"

// published is a server on which the examples run, from one test.
type published struct {
	*client
	s *server
	v *vault
	// values replace what a definition has of the network and of resources with
	// random identifiers, as the README has its reader do.
	values map[string]string
}

// TestPublishedDefinitions runs the services of examples/services, unchanged, in
// images whose program shows what it got from inside.
func TestPublishedDefinitions(t *testing.T) {
	s := serve(t, t.TempDir())
	c := newClient(s)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	open := s.group("examples")
	if answer := s.ec2("AuthorizeSecurityGroupIngress", "GroupId="+open, "IpPermissions.1.IpProtocol=-1", "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0"); element(answer, "return") != "true" {
		t.Fatal(answer)
	}
	roles := iam.New(iam.Options{Region: s.Region, BaseEndpoint: &s.Endpoint, Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, "")})
	for _, name := range []string{"ecsTaskExecutionRole", "ecsInfrastructureRoleForLoadBalancers", "reportsTaskRole", "uploadsTaskRole"} {
		must[*iam.CreateRoleOutput](t)(roles.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String(name), AssumeRolePolicyDocument: trusting("ecs-tasks.amazonaws.com")}))
	}
	c.provide(s, tenantImages())
	values := map[string]string{"SUBNET_A": c.network.Subnets[0], "SUBNET_B": c.network.Subnets[len(c.network.Subnets)-1], "SECURITY_GROUP": open}
	// At once, as they mostly wait; t.Parallel would run as many as there are CPUs.
	var all sync.WaitGroup
	for name, check := range publishedServices() {
		all.Go(func() {
			t.Run(name, func(t *testing.T) {
				here := *c
				here.t = t
				check(&published{&here, s, newVault(t, s), maps.Clone(values)})
			})
		})
	}
	all.Wait()
	eventually(t, time.Minute, "the tasks to end", func() error {
		if pids := s.supervisors(); len(pids) > 0 {
			return fmt.Errorf("supervisors %v", pids)
		}
		return nil
	})
}

// TestPublishedDefinitionsAreAllRun: each example has a check, and each check an
// example.
func TestPublishedDefinitionsAreAllRun(t *testing.T) {
	checks := publishedServices()
	dirs := must[[]string](t)(filepath.Glob(examples + "/*/task-definition.json"))
	for _, file := range dirs {
		if name := filepath.Base(filepath.Dir(file)); checks[name] == nil {
			t.Errorf("nothing runs %s", file)
		}
	}
	if len(dirs) != len(checks) || len(dirs) == 0 {
		t.Errorf("%d examples, %d checks", len(dirs), len(checks))
	}
}

// run registers a definition and creates its service, as the AWS CLI does from
// the files, and has them removed in the end. The prefix is "" or "database.".
func (p *published) run(example, prefix string) (service string) {
	p.t.Helper()
	dir := filepath.Join(examples, example)
	p.call("RegisterTaskDefinition", filepath.Join(dir, prefix+"task-definition.json"), &ecs.RegisterTaskDefinitionInput{})
	var in ecs.CreateServiceInput
	p.call("CreateService", filepath.Join(dir, prefix+"service.json"), &in)
	service = *in.ServiceName
	p.t.Cleanup(func() {
		if p.t.Failed() {
			p.tell(service)
		}
		_, err := p.ecs.DeleteService(context.WithoutCancel(p.t.Context()), &ecs.DeleteServiceInput{Service: &service, Force: aws.Bool(true)})
		if err != nil {
			p.t.Error(err)
		}
	})
	return service
}

// tell logs what the server has to tell about a service.
func (p *published) tell(service string) {
	out, err := p.ecs.DescribeServices(context.WithoutCancel(p.t.Context()), &ecs.DescribeServicesInput{Services: []string{service}})
	if err != nil || len(out.Services) == 0 {
		p.t.Errorf("describe %s: %v", service, err)
		return
	}
	p.t.Logf("%s: %s", service, messages(out.Services[0]))
	for _, task := range p.tasks(service, ecstypes.DesiredStatusStopped) {
		p.t.Logf("stopped: %s", aws.ToString(task.StoppedReason))
		for _, k := range task.Containers {
			p.t.Logf("%s: exit code %d, %s", *k.Name, aws.ToInt32(k.ExitCode), aws.ToString(k.Reason))
		}
	}
}

// call sends a file as the body of a call. It must also be what the SDK knows of
// the call: the CLI refuses other names before it sends anything.
func (p *published) call(operation, file string, in any) {
	p.t.Helper()
	body := must[[]byte](p.t)(os.ReadFile(file))
	body = regexp.MustCompile(`\$\{[A-Z_]+\}`).ReplaceAllFunc(body, func(name []byte) []byte {
		value, ok := p.values[string(name[2:len(name)-1])]
		if !ok {
			p.t.Fatalf("%s: no value for %s", file, name)
		}
		return []byte(value)
	})
	known := json.NewDecoder(bytes.NewReader(body))
	known.DisallowUnknownFields()
	if err := known.Decode(in); err != nil {
		p.t.Fatalf("%s: %v", file, err)
	}
	req := must[*http.Request](p.t)(http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.s.Endpoint+"/", bytes.NewReader(body)))
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+operation)
	hash := sha256.Sum256(body)
	key := aws.Credentials{AccessKeyID: p.s.AccessKey, SecretAccessKey: p.s.SecretKey}
	if err := v4.NewSigner().SignHTTP(p.t.Context(), key, req, hex.EncodeToString(hash[:]), "ecs", p.s.Region, time.Now()); err != nil {
		p.t.Fatal(err)
	}
	resp := must[*http.Response](p.t)(http.DefaultClient.Do(req))
	defer resp.Body.Close()
	if answer := must[[]byte](p.t)(io.ReadAll(resp.Body)); resp.StatusCode != http.StatusOK {
		p.t.Fatalf("%s with %s: %s %s", operation, file, resp.Status, answer)
	}
}

// up waits until a service runs what it should; the machine may be busy.
func (p *published) up(service string) {
	p.t.Helper()
	eventually(p.t, 2*time.Minute, service+" to be stable", func() error {
		s := p.describe(service)
		if len(s.Deployments) != 1 || s.RunningCount != s.DesiredCount || s.Deployments[0].RolloutState != ecstypes.DeploymentRolloutStateCompleted {
			return fmt.Errorf("%d deployments, %d of %d running; events: %s", len(s.Deployments), s.RunningCount, s.DesiredCount, messages(s))
		}
		return nil
	})
}

// tenant is the program of one container.
type tenant struct {
	t    *testing.T
	base string // "http://ADDRESS:PORT"
}

// tenants are the containers of a service's running tasks that listen on a port.
func (p *published) tenants(service string, port int) (all []tenant) {
	p.t.Helper()
	for _, ip := range p.addressesOf(service) {
		all = append(all, tenant{p.t, fmt.Sprintf("http://%s:%d", ip, port)})
	}
	if len(all) == 0 {
		p.t.Fatalf("no task of %s", service)
	}
	return all
}

// try returns what the program answers at a path of its inside.
func (n tenant) try(path, parameter, value string) (string, error) {
	resp, err := http.Get(n.base + path + "?" + url.Values{parameter: {value}}.Encode())
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(body))
	}
	return string(body), err
}

func (n tenant) read(path string) string {
	n.t.Helper()
	return strings.TrimSpace(must[string](n.t)(n.try("/inside/read", "path", path)))
}

// fails checks that something is refused with an error.
func (n tenant) fails(path, parameter, value, with string) {
	n.t.Helper()
	if answer, err := n.try(path, parameter, value); err == nil || !strings.Contains(err.Error(), with) {
		n.t.Errorf("%s %s: %q, %v; want %q", path, value, answer, err, with)
	}
}

// insideView is what testdata/tenant tells of its container.
type insideView struct {
	Args     []string
	Env      map[string]string
	UID, GID int
	Dir      string
	First    string
	Limits   map[string][2]string
	Mounts   map[string]string
	Caps     string
}

func (n tenant) look() (v insideView) {
	n.t.Helper()
	body := must[string](n.t)(n.try("/inside", "", ""))
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		n.t.Fatal(err)
	}
	return v
}

// has checks one thing that a container was promised.
func has[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
