package ecs

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// stopTask: codes ClusterNotFoundException, InvalidParameterException.
func (s *service) stopTask(ctx context.Context, in *ecs.StopTaskInput) (*ecs.StopTaskOutput, error) {
	reason := cmp.Or(aws.ToString(in.Reason), "Task stopped by user")
	if len(reason) > 1024 {
		return nil, invalid("reason can have at most 1024 characters.")
	}
	t, err := s.tasks.StopTask(ctx, aws.ToString(in.Cluster), aws.ToString(in.Task), reason)
	if err != nil {
		return nil, err
	}
	out := s.task(t, true)
	return &ecs.StopTaskOutput{Task: &out}, nil
}

// describeTasks: codes ClusterNotFoundException, InvalidParameterException;
// unknown tasks are failures.
func (s *service) describeTasks(_ context.Context, in *ecs.DescribeTasksInput) (*ecs.DescribeTasksOutput, error) {
	c, err := s.ecs.ActiveCluster(aws.ToString(in.Cluster))
	if err != nil {
		return nil, err
	}
	switch n := len(in.Tasks); {
	case n == 0:
		return nil, invalid("Tasks cannot be empty.")
	case n > 100:
		return nil, invalid("Tasks can have at most 100 items.")
	}
	out := &ecs.DescribeTasksOutput{Tasks: []types.Task{}, Failures: []types.Failure{}}
	for _, ref := range in.Tasks {
		t, ok := s.ecs.Task(c.Name, ref)
		if !ok {
			out.Failures = append(out.Failures, missing(s.place.TaskARN(c.Name, ref[strings.LastIndex(ref, "/")+1:])))
			continue
		}
		out.Tasks = append(out.Tasks, s.task(t, slices.Contains(in.Include, types.TaskFieldTags)))
	}
	return out, nil
}

// listTasks: codes ClusterNotFoundException, InvalidParameterException,
// ServiceNotFoundException.
func (s *service) listTasks(_ context.Context, in *ecs.ListTasksInput) (*ecs.ListTasksOutput, error) {
	c, err := s.ecs.ActiveCluster(aws.ToString(in.Cluster))
	if err != nil {
		return nil, err
	}
	if in.ServiceName != nil {
		if _, err := s.ecs.FindService(c.Name, *in.ServiceName); err != nil {
			return nil, err
		}
	}
	var arns []string
	for _, t := range s.ecs.Tasks(c.Name) {
		if listed(t, in) {
			arns = append(arns, t.ARN)
		}
	}
	slices.Sort(arns)
	arns, next, err := page(arns, self, pageRequest{in.NextToken, in.MaxResults, 100})
	if err != nil {
		return nil, err
	}
	return &ecs.ListTasksOutput{TaskArns: arns, NextToken: next}, nil
}

// listed reports whether a task passes the filters. Tasks whose desired status is
// RUNNING are listed unless the caller asks for others.
func listed(t model.Task, in *ecs.ListTasksInput) bool {
	family, _, _ := strings.Cut(model.ARNTail(t.TaskDefinitionARN, 1), ":")
	return string(t.DesiredStatus) == string(cmp.Or(in.DesiredStatus, types.DesiredStatusRunning)) &&
		(in.Family == nil || *in.Family == family) &&
		(in.ServiceName == nil || model.ARNTail(*in.ServiceName, 2) == t.Service && t.Service != "") &&
		(in.StartedBy == nil || *in.StartedBy == t.StartedBy) &&
		(in.LaunchType == "" || string(in.LaunchType) == t.LaunchType)
}
