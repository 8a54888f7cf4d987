package ecs

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	catalogue "neargate/internal/ecs"
)

// registerTaskDefinition: codes ClientException, InvalidParameterException.
func (s *service) registerTaskDefinition(ctx context.Context, in *ecs.RegisterTaskDefinitionInput) (*ecs.RegisterTaskDefinitionOutput, error) {
	containers, err := readContainers(in.ContainerDefinitions)
	if err != nil {
		return nil, err
	}
	volumes, err := readVolumes(in.Volumes)
	if err != nil {
		return nil, err
	}
	request, err := s.records.Encode(in)
	if err != nil {
		return nil, fmt.Errorf("keep task definition: %w", err)
	}
	req := catalogue.RegisterTaskDefinitionRequest{
		Family: aws.ToString(in.Family), CPU: aws.ToString(in.Cpu), Memory: aws.ToString(in.Memory), NetworkMode: string(in.NetworkMode),
		TaskRoleARN: aws.ToString(in.TaskRoleArn), ExecutionRoleARN: aws.ToString(in.ExecutionRoleArn),
		Containers: containers, Volumes: volumes, PIDMode: string(in.PidMode), Tags: readTags(in.Tags), RegisteredBy: *s.caller(ctx), Request: request,
	}
	for _, c := range in.RequiresCompatibilities {
		req.Compatibilities = append(req.Compatibilities, string(c))
	}
	if p := in.RuntimePlatform; p != nil {
		req.CPUArchitecture, req.OSFamily = string(p.CpuArchitecture), string(p.OperatingSystemFamily)
	}
	if e := in.EphemeralStorage; e != nil {
		if req.EphemeralGiB, err = catalogue.EphemeralStorage(int(e.SizeInGiB)); err != nil {
			return nil, err
		}
	}
	def, err := s.ecs.RegisterTaskDefinition(ctx, req)
	if err != nil {
		return nil, err
	}
	out, err := s.taskDefinition(def)
	if err != nil {
		return nil, err
	}
	return &ecs.RegisterTaskDefinitionOutput{TaskDefinition: out, Tags: tagsOf(def.Tags)}, nil
}
