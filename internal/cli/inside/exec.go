package inside

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/session"
	"neargate/internal/session/client"
)

// Pick returns the task of a service to look into: one that runs, that takes
// commands and that is healthy, if there is one, and of these the oldest.
func (c *Cluster) Pick(ctx context.Context, service string) (types.Task, error) {
	all, err := c.Tasks(ctx, service)
	if err != nil {
		return types.Task{}, err
	}
	all = slices.DeleteFunc(all, func(t types.Task) bool { return aws.ToString(t.LastStatus) != "RUNNING" })
	if len(all) == 0 {
		return types.Task{}, &Trouble{"no task of service " + service + " runs", "neargate ps " + service + " shows why"}
	}
	worth := func(t types.Task) int {
		n := 0
		if t.EnableExecuteCommand {
			n += 2
		}
		if t.HealthStatus != types.HealthStatusUnhealthy {
			n++
		}
		return n
	}
	slices.SortStableFunc(all, func(a, b types.Task) int { return worth(b) - worth(a) })
	return all[0], nil
}

// Exec runs a command in a container of a task and returns its exit code; -1 is
// unknown. name is the container's; "" is the only one.
func (c *Cluster) Exec(ctx context.Context, t types.Task, name string, command []string, s client.Streams) (int, error) {
	in, err := container(t, name)
	if err != nil {
		return -1, err
	}
	if aws.ToString(t.LastStatus) != "RUNNING" || aws.ToString(in.LastStatus) != "RUNNING" {
		return -1, &Trouble{fmt.Sprintf("container %s of task %s does not run", aws.ToString(in.Name), Short(t)), "neargate ps shows those that do"}
	}
	if !t.EnableExecuteCommand {
		hint := "start it with aws ecs run-task --enable-execute-command"
		if svc := service(t); svc != "" {
			hint = fmt.Sprintf("aws ecs update-service --cluster %s --service %s --enable-execute-command --force-new-deployment; its task definition needs a taskRoleArn", c.Name, svc)
		}
		return -1, &Trouble{fmt.Sprintf("task %s was started without ECS Exec", Short(t)), hint}
	}
	out, err := c.ECS.ExecuteCommand(ctx, &ecs.ExecuteCommandInput{
		Cluster: &c.Name, Task: t.TaskArn, Container: in.Name, Command: aws.String(session.Join(command)), Interactive: true,
	})
	if err != nil {
		return -1, c.explain(err)
	}
	code, err := client.Run(ctx, client.Target{URL: *out.Session.StreamUrl, Token: *out.Session.TokenValue, HTTP: c.HTTP}, s)
	if refused, ok := errors.AsType[*client.RefusedError](err); ok && strings.Contains(refused.Text, "Failed to start pty: exec: ") {
		return -1, &Trouble{fmt.Sprintf("container %s has no program %s", aws.ToString(in.Name), command[0]), "its image may have no shell; name a program with its path"}
	}
	return code, err
}
