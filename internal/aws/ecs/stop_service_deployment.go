package ecs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// stopServiceDeployment: codes ServiceDeploymentNotFoundException,
// ConflictException, InvalidParameterException.
func (s *service) stopServiceDeployment(ctx context.Context, in *ecs.StopServiceDeploymentInput) (*ecs.StopServiceDeploymentOutput, error) {
	if err := s.ecs.StopServiceDeployment(ctx, aws.ToString(in.ServiceDeploymentArn), string(in.StopType)); err != nil {
		return nil, err
	}
	return &ecs.StopServiceDeploymentOutput{ServiceDeploymentArn: in.ServiceDeploymentArn}, nil
}

// continueServiceDeployment: codes ServiceDeploymentNotFoundException,
// ConflictException, InvalidParameterException.
func (s *service) continueServiceDeployment(ctx context.Context, in *ecs.ContinueServiceDeploymentInput) (*ecs.ContinueServiceDeploymentOutput, error) {
	err := s.ecs.ContinueServiceDeployment(ctx, aws.ToString(in.ServiceDeploymentArn), aws.ToString(in.HookId), string(in.Action))
	if err != nil {
		return nil, err
	}
	return &ecs.ContinueServiceDeploymentOutput{ServiceDeploymentArn: in.ServiceDeploymentArn}, nil
}
