package ecs

import (
	"cmp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// task is t as AWS answers it.
func (s *service) task(t model.Task, withTags bool) types.Task {
	out := types.Task{
		TaskArn: aws.String(t.ARN), ClusterArn: aws.String(t.ClusterARN), TaskDefinitionArn: aws.String(t.TaskDefinitionARN),
		LastStatus: aws.String(string(t.LastStatus)), DesiredStatus: aws.String(string(t.DesiredStatus)), HealthStatus: types.HealthStatus(t.Health),
		Cpu: decimal(t.CPUUnits), Memory: decimal(t.MemoryMiB), Group: aws.String(t.Group), StartedBy: text(t.StartedBy),
		LaunchType: types.LaunchType(t.LaunchType), CapacityProviderName: text(t.CapacityProvider),
		PlatformVersion: aws.String(platform(t.PlatformVersion)), PlatformFamily: aws.String("Linux"),
		AvailabilityZone: aws.String(s.ecs.Zone(t)), EnableExecuteCommand: t.EnableExecuteCommand,
		Attributes:       []types.Attribute{{Name: aws.String("ecs.cpu-architecture"), Value: aws.String(strings.ToLower(cmp.Or(t.Architecture, model.AMD64).ECS()))}},
		EphemeralStorage: &types.EphemeralStorage{SizeInGiB: s.disk(t)}, FargateEphemeralStorage: &types.TaskEphemeralStorage{SizeInGiB: s.disk(t)},
		Attachments: []types.Attachment{s.attachment(t)}, Containers: []types.Container{}, Overrides: overridesOf(t),
		Tags:     []types.Tag{},
		StopCode: types.TaskStopCode(t.StopCode), StoppedReason: text(t.StopReason), Version: int64(t.Version),
		CreatedAt: moment(t.CreatedAt), PullStartedAt: moment(t.PullStartedAt), PullStoppedAt: moment(t.PullStoppedAt), StartedAt: moment(t.StartedAt),
		StoppingAt: moment(t.StoppingAt), ExecutionStoppedAt: moment(t.ExecutionStoppedAt), StoppedAt: moment(t.StoppedAt),
	}
	if t.IP != "" {
		out.Connectivity, out.ConnectivityAt = types.ConnectivityConnected, moment(t.StartedAt)
	}
	if withTags {
		out.Tags = tagsOf(t.Tags)
	}
	for _, c := range t.Containers {
		out.Containers = append(out.Containers, containerOf(t, c))
	}
	return out
}

// disk is the size of a task's ephemeral storage in GiB.
func (s *service) disk(t model.Task) int32 {
	def, _ := s.ecs.TaskDefinition(t.TaskDefinitionARN)
	return int32(cmp.Or(t.EphemeralGiB, def.EphemeralGiB, 20))
}

func containerOf(t model.Task, c model.Container) types.Container {
	out := types.Container{
		ContainerArn: aws.String(c.ARN), TaskArn: aws.String(t.ARN), Name: aws.String(c.Name), Image: aws.String(c.Image),
		ImageDigest: text(c.ImageDigest), RuntimeId: text(c.RuntimeID), LastStatus: aws.String(string(c.LastStatus)),
		HealthStatus: types.HealthStatus(c.Health), Reason: text(c.Reason), Cpu: decimal(c.CPUUnits),
		NetworkBindings: []types.NetworkBinding{}, NetworkInterfaces: []types.NetworkInterface{},
		ManagedAgents: managedAgents(t, c),
	}
	if c.MemoryMiB > 0 {
		out.Memory = decimal(c.MemoryMiB)
	}
	if c.ExitCode != nil {
		out.ExitCode = aws.Int32(int32(*c.ExitCode))
	}
	if t.IP != "" {
		out.NetworkInterfaces = append(out.NetworkInterfaces, types.NetworkInterface{AttachmentId: aws.String(t.AttachmentID()), PrivateIpv4Address: aws.String(t.IP)})
	}
	return out
}

func (s *service) attachment(t model.Task) types.Attachment {
	status := "PRECREATED"
	switch {
	case t.LastStatus == model.TaskStopped:
		status = "DELETED"
	case t.IP != "":
		status = "ATTACHED"
	}
	out := types.Attachment{Id: aws.String(t.AttachmentID()), Type: aws.String("ElasticNetworkInterface"), Status: aws.String(status), Details: []types.KeyValuePair{}}
	add := func(name, value string) {
		if value != "" {
			out.Details = append(out.Details, types.KeyValuePair{Name: aws.String(name), Value: aws.String(value)})
		}
	}
	add("subnetId", t.Place())
	if t.IP != "" {
		add("networkInterfaceId", t.InterfaceID())
		add("macAddress", t.MAC)
		add("privateDnsName", s.place.PrivateDNSName(t.IP))
		add("privateIPv4Address", t.IP)
	}
	return out
}

func overridesOf(t model.Task) *types.TaskOverride {
	out := &types.TaskOverride{
		ContainerOverrides: []types.ContainerOverride{}, TaskRoleArn: text(t.TaskRoleARN), ExecutionRoleArn: text(t.ExecutionRoleARN),
	}
	for _, c := range t.Containers {
		one := types.ContainerOverride{Name: aws.String(c.Name)}
		for _, o := range t.Overrides {
			if o.Name != c.Name {
				continue
			}
			one.Command = o.Command
			for _, kv := range o.Environment {
				one.Environment = append(one.Environment, types.KeyValuePair{Name: aws.String(kv.Name), Value: aws.String(kv.Value)})
			}
			if o.CPUUnits > 0 {
				one.Cpu = aws.Int32(int32(o.CPUUnits))
			}
			if o.MemoryMiB > 0 {
				one.Memory = aws.Int32(int32(o.MemoryMiB))
			}
			if o.MemoryReservationMiB > 0 {
				one.MemoryReservation = aws.Int32(int32(o.MemoryReservationMiB))
			}
		}
		out.ContainerOverrides = append(out.ContainerOverrides, one)
	}
	return out
}
