package ecs

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	catalogue "neargate/internal/ecs"
	"neargate/internal/model"
)

// runTask: codes ClusterNotFoundException, ClientException,
// InvalidParameterException, LimitExceededException, PlatformUnknownException,
// UnsupportedFeatureException.
func (s *service) runTask(ctx context.Context, in *ecs.RunTaskInput) (*ecs.RunTaskOutput, error) {
	overrides, err := s.readOverrides(in.Overrides)
	if err != nil {
		return nil, err
	}
	count := int(deref(in.Count, 1))
	t, err := s.ecs.NewTask(catalogue.RunTaskRequest{
		Cluster: aws.ToString(in.Cluster), TaskDefinition: aws.ToString(in.TaskDefinition), Count: count,
		LaunchType: string(in.LaunchType), Strategy: readStrategy(in.CapacityProviderStrategy), Network: readNetwork(in.NetworkConfiguration),
		PlatformVersion: aws.ToString(in.PlatformVersion), Group: aws.ToString(in.Group), StartedBy: aws.ToString(in.StartedBy),
		ClientToken: aws.ToString(in.ClientToken), PropagateTags: string(in.PropagateTags), Tags: readTags(in.Tags),
		ManagedTags: in.EnableECSManagedTags, ExecuteCommand: in.EnableExecuteCommand, Overrides: overrides,
	})
	if err != nil {
		return nil, err
	}
	tasks, failures, err := s.tasks.RunTask(ctx, t, count)
	if err != nil {
		return nil, err
	}
	out := &ecs.RunTaskOutput{Tasks: []types.Task{}, Failures: []types.Failure{}}
	for _, t := range tasks {
		out.Tasks = append(out.Tasks, s.task(t, true))
	}
	for _, f := range failures {
		out.Failures = append(out.Failures, types.Failure{Arn: aws.String(t.ClusterARN), Reason: aws.String(f.Reason), Detail: aws.String(f.Detail)})
	}
	return out, nil
}

func (s *service) readOverrides(in *types.TaskOverride) (out catalogue.TaskOverrides, err error) {
	if in == nil {
		return out, nil
	}
	text, err := s.records.Encode(in)
	if err != nil {
		return out, fmt.Errorf("read overrides: %w", err)
	}
	out.Length = len(text)
	out.CPU, out.Memory = aws.ToString(in.Cpu), aws.ToString(in.Memory)
	out.TaskRoleARN, out.ExecutionRoleARN = aws.ToString(in.TaskRoleArn), aws.ToString(in.ExecutionRoleArn)
	if e := in.EphemeralStorage; e != nil {
		if out.EphemeralGiB, err = catalogue.EphemeralStorage(int(e.SizeInGiB)); err != nil {
			return out, err
		}
	}
	for _, c := range in.ContainerOverrides {
		out.Containers = append(out.Containers, model.ContainerOverride{
			Name: aws.ToString(c.Name), Command: given(c.Command), Environment: keyValues(c.Environment),
			CPUUnits: int(aws.ToInt32(c.Cpu)), MemoryMiB: int(aws.ToInt32(c.Memory)),
			MemoryReservationMiB: int(aws.ToInt32(c.MemoryReservation)), EnvironmentFiles: files(c.EnvironmentFiles),
		})
	}
	return out, nil
}
