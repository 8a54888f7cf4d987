package ecs

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	catalogue "neargate/internal/ecs"
	"neargate/internal/model"
)

// updateTaskProtection: codes ClusterNotFoundException,
// InvalidParameterException; tasks that cannot be protected are failures.
func (s *service) updateTaskProtection(ctx context.Context, in *ecs.UpdateTaskProtectionInput) (*ecs.UpdateTaskProtectionOutput, error) {
	tasks, failures, err := s.ecs.ProtectTasks(ctx, catalogue.Protection{
		Cluster: aws.ToString(in.Cluster), Tasks: in.Tasks, Enable: in.ProtectionEnabled, For: minutes(in.ExpiresInMinutes),
	})
	if err != nil {
		return nil, err
	}
	out := &ecs.UpdateTaskProtectionOutput{ProtectedTasks: []types.ProtectedTask{}, Failures: []types.Failure{}}
	for _, t := range tasks {
		out.ProtectedTasks = append(out.ProtectedTasks, protectionOf(t))
	}
	for _, f := range failures {
		out.Failures = append(out.Failures, types.Failure{Arn: aws.String(f.ARN), Reason: aws.String(f.Reason), Detail: text(f.Detail)})
	}
	return out, nil
}

// getTaskProtection: codes ClusterNotFoundException, InvalidParameterException;
// unknown tasks are failures. Without tasks it answers those of all services.
func (s *service) getTaskProtection(_ context.Context, in *ecs.GetTaskProtectionInput) (*ecs.GetTaskProtectionOutput, error) {
	c, err := s.ecs.ActiveCluster(aws.ToString(in.Cluster))
	if err != nil {
		return nil, err
	}
	if len(in.Tasks) > 100 {
		return nil, invalid("Tasks can have at most 100 items.")
	}
	out := &ecs.GetTaskProtectionOutput{ProtectedTasks: []types.ProtectedTask{}, Failures: []types.Failure{}}
	for _, ref := range in.Tasks {
		t, ok := s.ecs.Task(c.Name, ref)
		if !ok {
			out.Failures = append(out.Failures, missing(s.place.TaskARN(c.Name, ref[strings.LastIndex(ref, "/")+1:])))
			continue
		}
		out.ProtectedTasks = append(out.ProtectedTasks, protectionOf(t))
	}
	if len(in.Tasks) > 0 {
		return out, nil
	}
	for _, t := range s.ecs.Tasks(c.Name) {
		if t.Service != "" && t.LastStatus != model.TaskStopped {
			out.ProtectedTasks = append(out.ProtectedTasks, protectionOf(t))
		}
	}
	return out, nil
}

func protectionOf(t model.Task) types.ProtectedTask {
	out := types.ProtectedTask{TaskArn: aws.String(t.ARN), ProtectionEnabled: t.Protected(time.Now())}
	if out.ProtectionEnabled {
		out.ExpirationDate = aws.Time(t.ProtectedUntil)
	}
	return out
}
