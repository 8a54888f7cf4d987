package ecs

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// runTask: codes ClusterNotFoundException, ClientException,
// InvalidParameterException, LimitExceededException, PlatformUnknownException,
// UnsupportedFeatureException.
func (s *service) runTask(ctx context.Context, in *ecs.RunTaskInput) (*ecs.RunTaskOutput, error) {
	c, err := s.activeCluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	count := int(deref(in.Count, 1))
	if err := checkRun(in, count); err != nil {
		return nil, err
	}
	def, err := s.fargateDefinition(in.TaskDefinition)
	if err != nil {
		return nil, err
	}
	t := model.Task{
		Cluster: c.Name, TaskDefinitionARN: def.ARN, Group: deref(in.Group, "family:"+def.Family), StartedBy: aws.ToString(in.StartedBy),
		PlatformVersion: deref(in.PlatformVersion, "LATEST"), EnableExecuteCommand: in.EnableExecuteCommand, ClientToken: aws.ToString(in.ClientToken),
	}
	var strategy []model.CapacityProviderShare
	if t.LaunchType, strategy, err = launch(in.LaunchType, in.CapacityProviderStrategy, c); err != nil {
		return nil, err
	}
	if len(strategy) > 0 {
		t.CapacityProvider = strategy[0].Provider
	}
	if t.Network, err = readNetwork(in.NetworkConfiguration); err != nil {
		return nil, err
	}
	if err := readOverrides(in.Overrides, def, &t); err != nil {
		return nil, err
	}
	if t.Tags, err = readTags(taskTags(in, def), in.Tags); err != nil {
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
		out.Failures = append(out.Failures, types.Failure{Arn: aws.String(c.ARN), Reason: aws.String(f.Reason), Detail: aws.String(f.Detail)})
	}
	return out, nil
}

func taskTags(in *ecs.RunTaskInput, def model.TaskDefinition) []model.Tag {
	if in.PropagateTags == types.PropagateTagsTaskDefinition {
		return def.Tags
	}
	return nil
}

func checkRun(in *ecs.RunTaskInput, count int) error {
	switch {
	case count < 1 || count > 10:
		return invalid("Count must be between 1 and 10.")
	case aws.ToString(in.TaskDefinition) == "":
		return client("TaskDefinition can not be blank.")
	case len(aws.ToString(in.StartedBy)) > 128:
		return invalid("startedBy can have at most 128 characters.")
	}
	return firstOf(
		checkPlatform(in.PlatformVersion),
		refuse(refusal{len(in.VolumeConfigurations) > 0, "volumeConfigurations"}),
		checkPlacement(in.PlacementConstraints, in.PlacementStrategy),
	)
}

// readOverrides puts a RunTask's overrides into the task.
func readOverrides(in *types.TaskOverride, def model.TaskDefinition, t *model.Task) error {
	if in == nil {
		return nil
	}
	if in.Cpu != nil || in.Memory != nil {
		size := func(said *string, unit int) *string { return cmp.Or(said, number(unit)) }
		var err error
		if t.CPUUnits, t.MemoryMiB, err = fargateSize(size(in.Cpu, def.CPUUnits), size(in.Memory, def.MemoryMiB)); err != nil {
			return err
		}
	}
	if err := refuse(refusal{in.EphemeralStorage != nil, "overrides.ephemeralStorage"}); err != nil {
		return err
	}
	for _, c := range in.ContainerOverrides {
		name := aws.ToString(c.Name)
		if !slices.ContainsFunc(def.Containers, func(d model.ContainerDefinition) bool { return d.Name == name }) {
			return invalid("Override for container named %s is not a container in the TaskDefinition.", name)
		}
		if err := refuse(refusal{len(c.EnvironmentFiles) > 0, "environmentFiles"}, refusal{len(c.ResourceRequirements) > 0, "resourceRequirements"}); err != nil {
			return err
		}
		t.Overrides = append(t.Overrides, model.ContainerOverride{
			Name: name, Command: c.Command, Environment: keyValues(c.Environment),
			CPUUnits: int(aws.ToInt32(c.Cpu)), MemoryMiB: int(aws.ToInt32(c.Memory)),
		})
	}
	return nil
}
