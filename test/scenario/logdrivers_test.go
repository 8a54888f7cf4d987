package scenario_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestDriversOfTheMachine: what Docker keeps on its machine is in neargate logs,
// and the driver none keeps nothing.
func TestDriversOfTheMachine(t *testing.T) {
	s := serve(t, t.TempDir())
	c := newClient(s)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	image := c.push("guest", buildGuest(t))
	container := func(driver ecstypes.LogDriver, options map[string]string) ecstypes.ContainerDefinition {
		return ecstypes.ContainerDefinition{
			Name: aws.String(string(driver)), Image: &image, Essential: aws.Bool(driver == ecstypes.LogDriverJsonFile),
			EntryPoint: []string{"/neargate"}, Command: []string{"print", "by " + string(driver)},
			LogConfiguration: &ecstypes.LogConfiguration{LogDriver: driver, Options: options},
		}
	}
	lasting := container(ecstypes.LogDriverJsonFile, map[string]string{"max-size": "10m", "max-file": "3"})
	lasting.Command = []string{"lines", "2"}
	must[*ecs.RegisterTaskDefinitionOutput](t)(c.ecs.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("web"), NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		ContainerDefinitions: []ecstypes.ContainerDefinition{lasting, container("local", nil), container("none", nil)},
	}))
	c.service("web", "web", 1, "")
	eventually(t, 30*time.Second, "the lines", func() error {
		out, err := exec.Command(neargate(t), "logs", "--data", s.data, "web").CombinedOutput()
		if err != nil || strings.Count(string(out), "\n") != 3 || !strings.Contains(string(out), "line 1") || !strings.Contains(string(out), "by local") {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	destroy(t, s, c)
}
