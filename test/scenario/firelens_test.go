package scenario_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// buildGuest builds the engine's test program, which can be a log router.
func buildGuest(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "guest")
	build := exec.Command("go", "build", "-o", exe, "neargate/internal/runtime/local/testdata/guest")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return exe
}

// defineRouted registers a container that prints lines, and the router that takes
// them and prints them to CloudWatch Logs.
func (c *client) defineRouted(image, secret string, lines int) {
	c.t.Helper()
	must[*ecs.RegisterTaskDefinitionOutput](c.t)(c.ecs.RegisterTaskDefinition(c.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("routed"), NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"), ExecutionRoleArn: aws.String("ecsTaskExecutionRole"),
		ContainerDefinitions: []ecstypes.ContainerDefinition{
			{
				Name: aws.String("router"), Image: aws.String(image), EntryPoint: []string{"/neargate"}, Command: []string{"router", "/fluent-bit/etc/fluent-bit.conf", "/var/run/fluent.sock", "0"},
				FirelensConfiguration: &ecstypes.FirelensConfiguration{Type: ecstypes.FirelensConfigurationTypeFluentbit, Options: map[string]string{
					"config-file-type": "s3", "config-file-value": "arn:aws:s3:::shop-config/extra.conf",
				}},
				LogConfiguration: &ecstypes.LogConfiguration{LogDriver: ecstypes.LogDriverAwslogs, Options: map[string]string{
					"awslogs-group": "routed", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "r", "awslogs-create-group": "true",
				}},
			},
			{
				Name: aws.String("app"), Image: aws.String(image), EntryPoint: []string{"/neargate"}, Command: []string{"steady", fmt.Sprint(lines)},
				LogConfiguration: &ecstypes.LogConfiguration{
					LogDriver: ecstypes.LogDriverAwsfirelens, Options: map[string]string{"Name": "http", "Host": "logs.example.test"},
					SecretOptions: []ecstypes.Secret{{Name: aws.String("apikey"), ValueFrom: &secret}},
				},
			},
		},
	}))
}

// events returns all that is in the streams of a log group.
func (c *client) events(group string) (all []string) {
	c.t.Helper()
	ctx := c.t.Context()
	pages := cloudwatchlogs.NewDescribeLogStreamsPaginator(c.logs, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: &group})
	for pages.HasMorePages() {
		for _, s := range must[*cloudwatchlogs.DescribeLogStreamsOutput](c.t)(pages.NextPage(ctx)).LogStreams {
			in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: &group, LogStreamName: s.LogStreamName, StartFromHead: aws.Bool(true)}
			for {
				page := must[*cloudwatchlogs.GetLogEventsOutput](c.t)(c.logs.GetLogEvents(ctx, in))
				for _, e := range page.Events {
					all = append(all, *e.Message)
				}
				if aws.ToString(in.NextToken) == *page.NextForwardToken {
					break
				}
				in.NextToken = page.NextForwardToken
			}
		}
	}
	return all
}

// TestFireLensLosesNothing: what a container prints reaches the log router, through
// the server's death, with the configuration that AWS generates.
func TestFireLensLosesNothing(t *testing.T) {
	const lines = 50_000
	data, listen := t.TempDir(), fmt.Sprint("127.0.0.1:", freePort(t))
	s := serve(t, data, "--listen", listen, "--log-level", "debug")
	c, v := newClient(s), newVault(t, s)
	secret := v.secret("shop/key", v.canary("key"))
	v.file("shop-config", "extra.conf", "[SERVICE]\n")
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	c.defineRouted(c.push("guest", buildGuest(t)), secret, lines)
	c.service("web", "routed", 1, "")
	eventually(t, 30*time.Second, "the first lines", func() error {
		if groups := must[*cloudwatchlogs.DescribeLogGroupsOutput](t)(c.logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})).LogGroups; len(groups) == 0 {
			return fmt.Errorf("no log group")
		}
		if n := len(c.events("routed")); n < 1000 {
			return fmt.Errorf("%d lines", n)
		}
		return nil
	})
	s.stop(syscall.SIGKILL)
	s = serve(t, data, "--listen", listen, "--log-level", "debug")
	v.log = append(v.log, s.log)
	var got []string
	eventually(t, time.Minute, "all lines", func() error {
		seen := map[string]bool{}
		got = c.events("routed")
		for _, l := range got {
			if _, line, ok := strings.Cut(l, " app stdout line "); ok {
				seen[line] = true
			}
		}
		if len(seen) != lines {
			return fmt.Errorf("%d of %d lines", len(seen), lines)
		}
		return nil
	})
	t.Logf("%d events of %d lines", len(got)-1, lines)
	for _, want := range []string{
		"[INPUT]\\n    Name forward\\n    unix_path /var/run/fluent.sock\\n", "    Record ecs_cluster default\\n", "    Record ecs_task_definition routed:1\\n",
		"@INCLUDE /fluent-bit/etc/external.conf\\n", "    Name http\\n    Match app-firelens*\\n    Host logs.example.test\\n    apikey ${apikey_1}\\n",
	} {
		if !strings.Contains(got[0], want) {
			t.Errorf("the configuration has no %s: %s", want, got[0])
		}
	}
	v.search(data)
	destroy(t, s, c)
}
