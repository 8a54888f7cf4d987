package scenario_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
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
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// whoami is what the program in testdata/whoami answers.
type whoami struct {
	ARN, Source, Secret   string
	Clusters, Errors, Env []string
}

// buildWhoami builds the program, which is a module of its own.
func buildWhoami(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "whoami")
	build := exec.Command("go", "build", "-o", exe, ".")
	build.Dir, build.Env = "testdata/whoami", append(build.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return exe
}

// trusting is a trust policy.
func trusting(service string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`)
}

// inside is a task that runs whoami.
type inside struct {
	t      *testing.T
	id, ip string
}

// ask returns what the task finds.
func (i inside) ask() (w whoami) {
	i.t.Helper()
	status, body := i.get("")
	if status != http.StatusOK || json.Unmarshal([]byte(body), &w) != nil {
		i.t.Fatalf("the task answers %d %s", status, body)
	}
	return w
}

// fetch returns what a URL answers the task.
func (i inside) fetch(url string) (status int, body string) {
	i.t.Helper()
	return i.get("fetch/" + strings.TrimPrefix(url, "http://"))
}

// put sends a body to a URL from the task.
func (i inside) put(url, body string) (status int, answer string) {
	i.t.Helper()
	req := must[*http.Request](i.t)(http.NewRequestWithContext(i.t.Context(), http.MethodPut, "http://"+i.ip+":8080/fetch/"+strings.TrimPrefix(url, "http://"), strings.NewReader(body)))
	resp := must[*http.Response](i.t)(http.DefaultClient.Do(req))
	defer resp.Body.Close()
	return resp.StatusCode, string(must[[]byte](i.t)(io.ReadAll(resp.Body)))
}

func (i inside) get(path string) (status int, body string) {
	i.t.Helper()
	resp := must[*http.Response](i.t)(http.Get("http://" + i.ip + ":8080/" + path))
	defer resp.Body.Close()
	return resp.StatusCode, string(must[[]byte](i.t)(io.ReadAll(resp.Body)))
}

// env returns a variable of the task.
func (w whoami) env(name string) string {
	for _, kv := range w.Env {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value
		}
	}
	return ""
}

// runInside runs a task and waits for its program.
func (c *client) runInside(definition string, overrides *ecstypes.TaskOverride) inside {
	c.t.Helper()
	ctx := c.t.Context()
	task := must[*ecs.RunTaskOutput](c.t)(c.ecs.RunTask(ctx, &ecs.RunTaskInput{
		TaskDefinition: aws.String(definition), LaunchType: ecstypes.LaunchTypeFargate, Overrides: overrides,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: c.network.Subnets[:1]}},
	})).Tasks[0]
	i := inside{t: c.t, id: (*task.TaskArn)[strings.LastIndexByte(*task.TaskArn, '/')+1:]}
	eventually(c.t, 30*time.Second, "the task to answer", func() error {
		task := must[*ecs.DescribeTasksOutput](c.t)(c.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: []string{*task.TaskArn}})).Tasks[0]
		if task.StoppedReason != nil {
			c.t.Fatal(*task.StoppedReason)
		}
		for _, d := range task.Attachments[0].Details {
			if *d.Name == "privateIPv4Address" {
				i.ip = *d.Value
			}
		}
		if i.ip == "" {
			return fmt.Errorf("it is %s", *task.LastStatus)
		}
		resp, err := http.Get("http://" + i.ip + ":8080/")
		if err != nil {
			return err
		}
		return resp.Body.Close()
	})
	return i
}

// defineAs registers whoami with a role.
func (c *client) defineAs(family, image, role string, tags ...ecstypes.Tag) {
	c.t.Helper()
	must[*ecs.RegisterTaskDefinitionOutput](c.t)(c.ecs.RegisterTaskDefinition(c.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(family), NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		TaskRoleArn: given(role), Tags: tags,
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: aws.String("app"), Image: aws.String(image), PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(8080)}},
			// Nobody answers there, and the SDK would wait.
			Environment: []ecstypes.KeyValuePair{{Name: aws.String("AWS_EC2_METADATA_DISABLED"), Value: aws.String("true")}},
		}},
	}))
}

func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// TestTasksActAsTheirRole: an SDK without a configuration calls this server as
// the task's role, until the role goes, through the server's death.
func TestTasksActAsTheirRole(t *testing.T) {
	data, listen := t.TempDir(), fmt.Sprint("127.0.0.1:", freePort(t))
	s := serve(t, data, "--listen", listen)
	c := newClient(s)
	ctx := t.Context()
	roles := iam.New(iam.Options{Region: s.Region, BaseEndpoint: &s.Endpoint, Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, "")})
	role := *must[*iam.CreateRoleOutput](t)(roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("worker"), AssumeRolePolicyDocument: trusting("ecs-tasks.amazonaws.com")})).Role.Arn
	closed := *must[*iam.CreateRoleOutput](t)(roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("closed"), AssumeRolePolicyDocument: trusting("lambda.amazonaws.com")})).Role.Arn
	secrets := secretsmanager.New(secretsmanager.Options{Region: s.Region, BaseEndpoint: &s.Endpoint, Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, "")})
	must[*secretsmanager.CreateSecretOutput](t)(secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("db/password"), SecretString: aws.String("correct horse")}))
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{}))
	image := c.push("whoami", buildWhoami(t))
	c.defineAs("worker", image, role)
	c.defineAs("none", image, "")
	c.defineAs("out", image, role, ecstypes.Tag{Key: aws.String("neargate:endpoints"), Value: aws.String("off")})

	one, other := c.runInside("worker", nil), c.runInside("none", &ecstypes.TaskOverride{TaskRoleArn: aws.String("worker")})
	for _, i := range []inside{one, other} {
		i.acts("assumed-role/worker/" + i.id)
	}
	plain := c.runInside("none", nil).ask()
	if plain.env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != "" || plain.ARN != "" {
		t.Errorf("a task without a role: %+v", plain)
	}
	if out := c.runInside("out", nil).ask(); out.env("AWS_ENDPOINT_URL_ECS") != "" || out.Source == "" {
		t.Errorf("a task that is to call AWS: %+v", out)
	}
	foreign(one, other)
	s.withstands(one, other)

	for role, definition := range map[string]string{closed: "closed", "arn:aws:iam::000000000000:role/none": "absent"} {
		c.defineAs(definition, image, role)
		_, err := c.ecs.RunTask(ctx, &ecs.RunTaskInput{
			TaskDefinition: aws.String(definition), LaunchType: ecstypes.LaunchTypeFargate,
			NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: c.network.Subnets[:1]}},
		})
		if err == nil || !strings.Contains(err.Error(), "ClientException: ECS was unable to assume the role '"+role+"' that was provided for this task.") {
			t.Errorf("a task with role %s: %v", role, err)
		}
	}

	url := "http://169.254.170.2" + one.ask().env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
	_, before := one.fetch(url)
	s.stop(syscall.SIGKILL)
	s = serve(t, data, "--listen", listen)
	if _, after := one.fetch(url); after != before {
		t.Error("the task's credentials changed with the server's death")
	}
	one.acts("assumed-role/worker/" + one.id)
	must[*iam.DeleteRoleOutput](t)(roles.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String("worker")}))
	if status, body := one.fetch(url); status != http.StatusBadRequest {
		t.Errorf("after the role was deleted: %d %s", status, body)
	}
	c.endAll(s)
}

// acts checks that the task, one of no service, is somebody and reaches the APIs.
func (i inside) acts(who string) {
	i.t.Helper()
	w := i.is(who)
	if status, body := i.put(w.env("ECS_AGENT_URI")+"/task-protection/v1/state", `{"ProtectionEnabled":true}`); status != http.StatusAccepted || !strings.Contains(body, "TASK_NOT_VALID") {
		i.t.Errorf("a task of no service is protected: %d %s", status, body)
	}
}

// is checks what acts does of any task, and returns what it finds.
func (i inside) is(who string) whoami {
	i.t.Helper()
	w := i.ask()
	if !strings.HasSuffix(w.ARN, who) || w.Source != "CredentialsEndpointProvider" || len(w.Clusters) != 1 || w.Secret != "correct horse" {
		i.t.Errorf("got %+v, want %s", w, who)
	}
	if w.env("AWS_EXECUTION_ENV") != "AWS_ECS_FARGATE" || w.env("ECS_CONTAINER_METADATA_URI_V4") != "http://169.254.170.2/v4/"+i.id+"-0000000001" {
		i.t.Errorf("environment %q", w.Env)
	}
	protection := w.env("ECS_AGENT_URI") + "/task-protection/v1/state"
	if status, body := i.fetch(protection); status != http.StatusOK || !strings.Contains(body, `"ProtectionEnabled":false,"TaskArn":"arn:aws:ecs:`) {
		i.t.Errorf("its protection is %d %s", status, body)
	}
	if status, body := i.fetch(w.env("ECS_CONTAINER_METADATA_URI_V4")); status != http.StatusOK || !strings.Contains(body, i.id) || !strings.Contains(body, i.ip) {
		i.t.Errorf("metadata %d %s", status, body)
	}
	return w
}

// foreign checks that a task is refused what is another's.
func foreign(one, other inside) {
	one.t.Helper()
	theirs := other.ask()
	uri := theirs.env("ECS_CONTAINER_METADATA_URI_V4")
	for _, path := range []string{"", "/task", "/stats", "/task/stats", "/taskWithTags"} {
		if status, body := one.fetch(uri + path); status != http.StatusNotFound || strings.Contains(body, other.ip) {
			one.t.Errorf("another task's metadata%s: %d %s", path, status, body)
		}
	}
	if status, body := one.fetch("169.254.170.2" + theirs.env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")); status != http.StatusBadRequest || strings.Contains(body, "AccessKeyId") {
		one.t.Errorf("another task's credentials: %d %s", status, body)
	}
}

// withstands has a task open as many connections as it can: neither it nor
// another goes without an answer, and the server has few files open.
func (s *server) withstands(hostile, other inside) {
	s.t.Helper()
	if status, body := hostile.get("flood/"); status != http.StatusOK || len(body) < 4 {
		s.t.Errorf("the flood answers %d %s", status, body)
	}
	for _, i := range []inside{hostile, other} {
		i.acts("assumed-role/worker/" + i.id)
	}
	if files := must[[]os.DirEntry](s.t)(os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))); len(files) > 300 {
		s.t.Errorf("the server has %d files open", len(files))
	}
}

// endAll stops every task and waits for the end of the last.
func (c *client) endAll(s *server) {
	c.t.Helper()
	list := must[*ecs.ListTasksOutput](c.t)(c.ecs.ListTasks(c.t.Context(), &ecs.ListTasksInput{}))
	for _, arn := range slices.Sorted(slices.Values(list.TaskArns)) {
		must[*ecs.StopTaskOutput](c.t)(c.ecs.StopTask(c.t.Context(), &ecs.StopTaskInput{Task: aws.String(arn)}))
	}
	eventually(c.t, 30*time.Second, "the tasks to end", func() error {
		if pids := s.supervisors(); len(pids) > 0 {
			return fmt.Errorf("supervisors %v", pids)
		}
		return nil
	})
}
