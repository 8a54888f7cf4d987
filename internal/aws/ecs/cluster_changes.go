package ecs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	catalogue "neargate/internal/ecs"
)

// updateCluster: codes ClusterNotFoundException, InvalidParameterException,
// UnsupportedFeatureException.
func (s *service) updateCluster(ctx context.Context, in *ecs.UpdateClusterInput) (*ecs.UpdateClusterOutput, error) {
	configuration, err := s.keepConfiguration(in.Configuration)
	if err != nil {
		return nil, err
	}
	c, err := s.ecs.UpdateCluster(ctx, catalogue.UpdateClusterRequest{
		Cluster: aws.ToString(in.Cluster), Settings: readSettings(in.Settings), Configuration: configuration,
		Namespace: readDefaults(in.ServiceConnectDefaults),
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateClusterOutput{Cluster: s.cluster(c, allClusterFields())}, nil
}

// updateClusterSettings: codes ClusterNotFoundException, InvalidParameterException.
func (s *service) updateClusterSettings(ctx context.Context, in *ecs.UpdateClusterSettingsInput) (*ecs.UpdateClusterSettingsOutput, error) {
	if len(in.Settings) == 0 {
		return nil, invalid("Settings cannot be empty.")
	}
	c, err := s.ecs.UpdateCluster(ctx, catalogue.UpdateClusterRequest{Cluster: aws.ToString(in.Cluster), Settings: readSettings(in.Settings)})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateClusterSettingsOutput{Cluster: s.cluster(c, allClusterFields())}, nil
}

// putClusterCapacityProviders: codes ClusterNotFoundException,
// InvalidParameterException.
func (s *service) putClusterCapacityProviders(ctx context.Context, in *ecs.PutClusterCapacityProvidersInput) (*ecs.PutClusterCapacityProvidersOutput, error) {
	c, err := s.ecs.UpdateCluster(ctx, catalogue.UpdateClusterRequest{
		Cluster:   aws.ToString(in.Cluster),
		Providers: &catalogue.Providers{Names: in.CapacityProviders, Strategy: readStrategy(in.DefaultCapacityProviderStrategy)},
	})
	if err != nil {
		return nil, err
	}
	return &ecs.PutClusterCapacityProvidersOutput{Cluster: s.cluster(c, allClusterFields())}, nil
}

// deleteCluster: codes ClusterNotFoundException,
// ClusterContainsServicesException, ClusterContainsTasksException.
func (s *service) deleteCluster(ctx context.Context, in *ecs.DeleteClusterInput) (*ecs.DeleteClusterOutput, error) {
	c, err := s.ecs.DeleteCluster(ctx, aws.ToString(in.Cluster))
	if err != nil {
		return nil, err
	}
	return &ecs.DeleteClusterOutput{Cluster: s.cluster(c, allClusterFields())}, nil
}
