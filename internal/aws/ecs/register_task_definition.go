package ecs

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

const maxContainers = 10

// registerTaskDefinition: codes ClientException, InvalidParameterException,
// UnsupportedFeatureException.
func (s *service) registerTaskDefinition(ctx context.Context, in *ecs.RegisterTaskDefinitionInput) (*ecs.RegisterTaskDefinitionOutput, error) {
	if err := checkDefinition(in); err != nil {
		return nil, err
	}
	def := model.TaskDefinition{
		Family: *in.Family, NetworkMode: string(in.NetworkMode),
		TaskRoleARN: aws.ToString(in.TaskRoleArn), ExecutionRoleARN: aws.ToString(in.ExecutionRoleArn),
	}
	var err error
	if def.Tags, err = readTags(nil, in.Tags); err != nil {
		return nil, err
	}
	if fargate(in) {
		if def.CPUUnits, def.MemoryMiB, err = fargateSize(in.Cpu, in.Memory); err != nil {
			return nil, err
		}
	}
	if def.Containers, err = readContainers(in.ContainerDefinitions, def.MemoryMiB); err != nil {
		return nil, err
	}
	if def.Registered, err = json.Marshal(s.registered(ctx, in, def)); err != nil {
		return nil, fmt.Errorf("encode task definition: %w", err)
	}
	if def, err = s.ecs.RegisterTaskDefinition(ctx, def); err != nil {
		return nil, err
	}
	out, err := taskDefinition(def)
	if err != nil {
		return nil, err
	}
	return &ecs.RegisterTaskDefinitionOutput{TaskDefinition: out, Tags: tagsOf(def.Tags)}, nil
}

// fargate says that the definition is to run on Fargate: said, or possible.
func fargate(in *ecs.RegisterTaskDefinitionInput) bool {
	said := slices.Contains(in.RequiresCompatibilities, types.CompatibilityFargate)
	return said || in.NetworkMode == types.NetworkModeAwsvpc && in.Cpu != nil && in.Memory != nil
}

func checkDefinition(in *ecs.RegisterTaskDefinitionInput) error {
	required := slices.Contains(in.RequiresCompatibilities, types.CompatibilityFargate)
	switch {
	case in.Family == nil || !nameForm.MatchString(*in.Family):
		return client("Family contains invalid characters or is not between 1 and 255 characters long.")
	case len(in.ContainerDefinitions) == 0:
		return client("Container list cannot be empty.")
	case len(in.ContainerDefinitions) > maxContainers:
		return client("Too many containers. A task definition can have at most %d containers.", maxContainers)
	case required && in.NetworkMode != types.NetworkModeAwsvpc:
		return client("Fargate only supports network mode ‘awsvpc’.")
	case in.EphemeralStorage != nil && (in.EphemeralStorage.SizeInGiB < 21 || in.EphemeralStorage.SizeInGiB > 200):
		return client("Ephemeral storage size must be between 21 and 200 GiB.")
	}
	return refuse(
		refusal{len(in.Volumes) > 0, "volumes"},
		refusal{in.ProxyConfiguration != nil, "proxyConfiguration"},
		refusal{len(in.PlacementConstraints) > 0, "placementConstraints"},
		refusal{in.PidMode != "", "pidMode"},
		refusal{in.IpcMode != "", "ipcMode"},
		refusal{aws.ToBool(in.EnableFaultInjection), "enableFaultInjection"},
		refusal{in.RuntimePlatform != nil && windows(in.RuntimePlatform.OperatingSystemFamily), "operatingSystemFamily " + osFamily(in.RuntimePlatform)},
	)
}

func osFamily(p *types.RuntimePlatform) string {
	if p == nil {
		return ""
	}
	return string(p.OperatingSystemFamily)
}

func windows(f types.OSFamily) bool { return f != "" && f != types.OSFamilyLinux }

// registered is the definition with the defaults that AWS adds, but for what
// the scheduler gives it: ARN, revision, status and times.
func (s *service) registered(ctx context.Context, in *ecs.RegisterTaskDefinitionInput, def model.TaskDefinition) *types.TaskDefinition {
	out := &types.TaskDefinition{
		Family: in.Family, NetworkMode: in.NetworkMode, Cpu: in.Cpu, Memory: in.Memory,
		TaskRoleArn: in.TaskRoleArn, ExecutionRoleArn: in.ExecutionRoleArn,
		RequiresCompatibilities: in.RequiresCompatibilities, RuntimePlatform: in.RuntimePlatform,
		EphemeralStorage: in.EphemeralStorage, EnableFaultInjection: in.EnableFaultInjection,
		Compatibilities:      []types.Compatibility{types.CompatibilityEc2, types.CompatibilityManagedInstances},
		PlacementConstraints: []types.TaskDefinitionPlacementConstraint{}, Volumes: []types.Volume{},
		RequiresAttributes: attributes(in), RegisteredBy: s.caller(ctx),
	}
	if def.CPUUnits > 0 {
		out.Compatibilities = append(out.Compatibilities, types.CompatibilityFargate)
		out.Cpu, out.Memory = aws.String(strconv.Itoa(def.CPUUnits)), aws.String(strconv.Itoa(def.MemoryMiB))
	}
	for _, c := range in.ContainerDefinitions {
		out.ContainerDefinitions = append(out.ContainerDefinitions, withDefaults(c, in.NetworkMode))
	}
	return out
}

// attributes are the agent capabilities that the definition calls for.
func attributes(in *ecs.RegisterTaskDefinitionInput) []types.Attribute {
	names := []string{}
	for _, c := range in.ContainerDefinitions {
		if c.LogConfiguration == nil {
			continue
		}
		names = append(names, "com.amazonaws.ecs.capability.logging-driver."+string(c.LogConfiguration.LogDriver))
		if in.ExecutionRoleArn != nil {
			names = append(names, "ecs.capability.execution-role-awslogs")
		}
		names = append(names, "com.amazonaws.ecs.capability.docker-remote-api.1.19")
	}
	if in.TaskRoleArn != nil {
		names = append(names, "com.amazonaws.ecs.capability.task-iam-role")
	}
	names = append(names, "com.amazonaws.ecs.capability.docker-remote-api.1.18")
	if in.NetworkMode == types.NetworkModeAwsvpc {
		names = append(names, "ecs.capability.task-eni")
	}
	slices.Sort(names)
	var all []types.Attribute
	for _, name := range slices.Compact(names) {
		all = append(all, types.Attribute{Name: aws.String(name)})
	}
	return all
}

// withDefaults is a container definition as AWS gives it back.
func withDefaults(c types.ContainerDefinition, mode types.NetworkMode) types.ContainerDefinition {
	c.Essential = aws.Bool(deref(c.Essential, true))
	c.Environment = append([]types.KeyValuePair{}, c.Environment...)
	c.MountPoints = append([]types.MountPoint{}, c.MountPoints...)
	c.VolumesFrom = append([]types.VolumeFrom{}, c.VolumesFrom...)
	c.SystemControls = append([]types.SystemControl{}, c.SystemControls...)
	c.PortMappings = append([]types.PortMapping{}, c.PortMappings...)
	for i := range c.PortMappings {
		p := &c.PortMappings[i]
		if p.Protocol == "" {
			p.Protocol = types.TransportProtocolTcp
		}
		if p.HostPort == nil && mode == types.NetworkModeAwsvpc {
			p.HostPort = p.ContainerPort
		}
	}
	if c.HealthCheck != nil {
		h := *c.HealthCheck
		h.Interval, h.Timeout = aws.Int32(deref(h.Interval, 30)), aws.Int32(deref(h.Timeout, 5))
		h.Retries = aws.Int32(deref(h.Retries, 3))
		c.HealthCheck = &h
	}
	return c
}
