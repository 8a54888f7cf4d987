package scenario_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// buildOthersRouter builds the OpenTelemetry Collector's receiver as a program, or
// skips the test.
func buildOthersRouter(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "forward")
	build := exec.Command("go", "build", "-mod=mod", "-o", exe, ".")
	build.Dir, build.Env = filepath.Join("..", "forward"), append(os.Environ(), "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("needs the OpenTelemetry Collector's receiver, which cannot be built here: %v\n%s", err, out)
	}
	return exe
}

// taken is a record as the router took it.
type taken struct {
	At            time.Time
	Body          string
	Tag           string `json:"fluent.tag"`
	ContainerID   string `json:"container_id"`
	ContainerName string `json:"container_name"`
	Source        string
}

// TestFireLensReachesARouterOfOthers: a router that is none of ours takes each line
// once, with its tag, time and source; of one that acknowledges, what it refuses is
// sent again.
func TestFireLensReachesARouterOfOthers(t *testing.T) {
	const lines = 20_000
	exe := buildOthersRouter(t)
	s := serve(t, t.TempDir(), "--listen", "127.0.0.1:0")
	c := newClient(s)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	router, guest := c.push("others", exe), c.push("guest", buildGuest(t))
	defer destroy(t, s, c)
	rows := map[string]struct {
		kind   ecstypes.FirelensConfigurationType
		refuse string
	}{
		"web":   {ecstypes.FirelensConfigurationTypeFluentbit, "0"},
		"again": {ecstypes.FirelensConfigurationTypeFluentbit, "3"},
		"bad":   {ecstypes.FirelensConfigurationTypeFluentd, "0"},
	}
	begin := time.Now()
	for name, row := range rows {
		must[*ecs.RegisterTaskDefinitionOutput](t)(c.ecs.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
			Family: &name, NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"), ExecutionRoleArn: aws.String("ecsTaskExecutionRole"),
			ContainerDefinitions: []ecstypes.ContainerDefinition{
				{
					Name: aws.String("router"), Image: &router, EntryPoint: []string{"/neargate"}, Command: []string{"/var/run/fluent.sock", row.refuse},
					FirelensConfiguration: &ecstypes.FirelensConfiguration{Type: row.kind},
					LogConfiguration: &ecstypes.LogConfiguration{LogDriver: ecstypes.LogDriverAwslogs, Options: map[string]string{
						"awslogs-group": name, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "r", "awslogs-create-group": "true",
					}},
				},
				{
					Name: aws.String("app"), Image: &guest, EntryPoint: []string{"/neargate"}, Command: []string{"steady", fmt.Sprint(lines)},
					LogConfiguration: &ecstypes.LogConfiguration{LogDriver: ecstypes.LogDriverAwsfirelens},
				},
			},
		}))
		c.service(name, name, 1, "")
	}
	for name, row := range rows {
		c.takes(name, begin, lines, row.refuse == "0")
	}
}

// takes waits for the router to have taken all lines, once each or at least once.
func (c *client) takes(group string, begin time.Time, lines int, once bool) {
	c.t.Helper()
	eventually(c.t, time.Minute, "the router to take all lines", func() error {
		if groups := must[*cloudwatchlogs.DescribeLogGroupsOutput](c.t)(c.logs.DescribeLogGroups(c.t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &group})).LogGroups; len(groups) == 0 {
			return fmt.Errorf("no log group")
		}
		seen := map[string]int{}
		for _, event := range c.events(group) {
			var r taken
			if err := json.Unmarshal([]byte(event), &r); err != nil {
				c.t.Fatalf("the router printed %q: %v", event, err)
			}
			if !strings.HasPrefix(r.Tag, "app-firelens-") || r.ContainerName != "app" || r.ContainerID == "" || r.Source != "stdout" || r.At.Before(begin) || r.At.After(time.Now()) {
				c.t.Fatalf("the router took %+v", r)
			}
			seen[r.Body]++
		}
		for i := range lines {
			if n := seen[fmt.Sprint("line ", i)]; n == 0 {
				return fmt.Errorf("%d of %d lines, and not line %d", len(seen), lines, i)
			} else if once && n > 1 {
				c.t.Fatalf("line %d came %d times", i, n)
			}
		}
		return nil
	})
}
