// Package inside shows people what is in their tasks: a list of them, what they
// print, and commands in their containers. It uses the AWS APIs, as any client
// does.
package inside

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
)

// Cluster is one cluster of a server.
type Cluster struct {
	Name string
	ECS  *ecs.Client
	Logs *cloudwatchlogs.Client
	HTTP *http.Client // for sessions

	poll time.Duration // how often lines are asked for while they are followed
}

// pollEvery is poll's usual value.
const pollEvery = time.Second

// Open returns a cluster of the server that a configuration leads to.
func Open(cfg aws.Config, http *http.Client, cluster string) *Cluster {
	return &Cluster{Name: cluster, ECS: ecs.NewFromConfig(cfg), Logs: cloudwatchlogs.NewFromConfig(cfg), HTTP: http, poll: pollEvery}
}

// Trouble is an error with something to do about it.
type Trouble struct { //nolint:errname // it reads as inside.Trouble
	What, Hint string
}

// Error returns what the matter is.
func (t *Trouble) Error() string { return t.What }

// explain turns an error of the API into what a person needs.
func (c *Cluster) explain(err error) error {
	answer, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	if answer.ErrorCode() == "ClusterNotFoundException" {
		return &Trouble{"there is no cluster " + c.Name, "aws ecs list-clusters shows them; --cluster names one"}
	}
	return errors.New(answer.ErrorMessage())
}

// Short is how people see a task: the first digits of its ID.
func Short(t types.Task) string { return id(t)[:min(8, len(id(t)))] }

func id(t types.Task) string {
	arn := aws.ToString(t.TaskArn)
	return arn[strings.LastIndex(arn, "/")+1:]
}

// service is the service of a task; "" is none.
func service(t types.Task) string {
	name, _ := strings.CutPrefix(aws.ToString(t.Group), "service:")
	if name == aws.ToString(t.Group) {
		return ""
	}
	return name
}

// Tasks returns the tasks of a service, or with "" of the cluster, also those
// that ended lately: the oldest first, of each status.
func (c *Cluster) Tasks(ctx context.Context, service string) ([]types.Task, error) {
	var all []types.Task
	for _, status := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
		in := &ecs.ListTasksInput{Cluster: &c.Name, DesiredStatus: status}
		if service != "" {
			in.ServiceName = &service
		}
		for pages := ecs.NewListTasksPaginator(c.ECS, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if _, ok := errors.AsType[*types.ServiceNotFoundException](err); ok {
				return nil, &Trouble{
					fmt.Sprintf("there is no service %s in cluster %s", service, c.Name),
					"neargate ps lists the tasks of the cluster; --cluster names another",
				}
			}
			if err != nil {
				return nil, c.explain(err)
			}
			tasks, err := c.describe(ctx, page.TaskArns)
			if err != nil {
				return nil, err
			}
			all = append(all, tasks...)
		}
	}
	slices.SortStableFunc(all, func(a, b types.Task) int { return aws.ToTime(a.CreatedAt).Compare(aws.ToTime(b.CreatedAt)) })
	return all, nil
}

func (c *Cluster) describe(ctx context.Context, arns []string) ([]types.Task, error) {
	if len(arns) == 0 {
		return nil, nil
	}
	out, err := c.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &c.Name, Tasks: arns})
	if err != nil {
		return nil, c.explain(err)
	}
	return out.Tasks, nil
}

// Task finds a task by its ARN, its ID, or the first digits of it.
func (c *Cluster) Task(ctx context.Context, ref string) (types.Task, error) {
	ref = ref[strings.LastIndex(ref, "/")+1:]
	all, err := c.Tasks(ctx, "")
	if err != nil {
		return types.Task{}, err
	}
	found := slices.DeleteFunc(all, func(t types.Task) bool { return ref == "" || !strings.HasPrefix(id(t), ref) })
	switch len(found) {
	case 0:
		return types.Task{}, &Trouble{fmt.Sprintf("there is no task %s in cluster %s", ref, c.Name), "neargate ps lists them; --cluster names another cluster"}
	case 1:
		return found[0], nil
	}
	return types.Task{}, &Trouble{fmt.Sprintf("%d tasks begin with %s", len(found), ref), "give more digits of the one you mean"}
}

// Find finds the tasks of a service, or one task by what Task takes.
func (c *Cluster) Find(ctx context.Context, name string) (tasks []types.Task, one bool, err error) {
	if !strings.Contains(name, ":task/") {
		tasks, err = c.Tasks(ctx, name[strings.LastIndex(name, "/")+1:])
		if _, missing := errors.AsType[*Trouble](err); !missing {
			return tasks, false, err
		}
	}
	task, taskErr := c.Task(ctx, name)
	if taskErr == nil {
		return []types.Task{task}, true, nil
	}
	if err == nil || strings.Contains(taskErr.Error(), "begin with") {
		err = taskErr
	}
	return nil, false, err
}

// container finds the container of a task that a person means; "" is the only
// one.
func container(t types.Task, name string) (types.Container, error) {
	var names []string
	for _, c := range t.Containers {
		if n := aws.ToString(c.Name); n == name || name == "" && len(t.Containers) == 1 {
			return c, nil
		}
		names = append(names, aws.ToString(c.Name))
	}
	what := fmt.Sprintf("task %s has no container %s", Short(t), name)
	if name == "" {
		what = fmt.Sprintf("task %s has %d containers", Short(t), len(names))
	}
	return types.Container{}, &Trouble{what, "--container names one of " + strings.Join(names, ", ")}
}
