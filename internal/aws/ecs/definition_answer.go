package ecs

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// taskDefinition is a definition as AWS answers it: as it was registered, with
// the defaults that AWS adds.
func (s *service) taskDefinition(def model.TaskDefinition) (*types.TaskDefinition, error) {
	in := &ecs.RegisterTaskDefinitionInput{}
	if err := s.records.Decode(def.Request, in); err != nil {
		return nil, fmt.Errorf("read task definition %s: %w", def.ARN, err)
	}
	out := &types.TaskDefinition{
		TaskDefinitionArn: aws.String(def.ARN), Family: aws.String(def.Family), Revision: int32(def.Revision),
		Status: types.TaskDefinitionStatus(def.Status), RegisteredAt: aws.Time(def.RegisteredAt), DeregisteredAt: moment(def.DeregisteredAt),
		RegisteredBy: text(def.RegisteredBy), NetworkMode: in.NetworkMode, Cpu: in.Cpu, Memory: in.Memory,
		TaskRoleArn: in.TaskRoleArn, ExecutionRoleArn: in.ExecutionRoleArn,
		RequiresCompatibilities: in.RequiresCompatibilities, RuntimePlatform: in.RuntimePlatform, PidMode: in.PidMode,
		EphemeralStorage: in.EphemeralStorage, EnableFaultInjection: in.EnableFaultInjection,
		Compatibilities:      []types.Compatibility{types.CompatibilityEc2, types.CompatibilityManagedInstances},
		PlacementConstraints: []types.TaskDefinitionPlacementConstraint{}, Volumes: append([]types.Volume{}, in.Volumes...),
		RequiresAttributes: attributes(in),
	}
	if def.CPUUnits > 0 {
		out.Compatibilities = append(out.Compatibilities, types.CompatibilityFargate)
		out.Cpu, out.Memory = aws.String(strconv.Itoa(def.CPUUnits)), aws.String(strconv.Itoa(def.MemoryMiB))
	}
	for _, c := range in.ContainerDefinitions {
		out.ContainerDefinitions = append(out.ContainerDefinitions, withDefaults(c, in.NetworkMode))
	}
	return out, nil
}

// withDefaults is a container definition as AWS answers it.
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
		if p.HostPort == nil && p.ContainerPortRange == nil && mode == types.NetworkModeAwsvpc {
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
