package ecs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"neargate/internal/model"
)

// updateCluster: codes ClusterNotFoundException, InvalidParameterException,
// UnsupportedFeatureException.
func (s *service) updateCluster(ctx context.Context, in *ecs.UpdateClusterInput) (*ecs.UpdateClusterOutput, error) {
	if err := refuse(refusal{in.ServiceConnectDefaults != nil, "serviceConnectDefaults"}); err != nil {
		return nil, err
	}
	settings, err := readSettings(in.Settings)
	if err != nil {
		return nil, err
	}
	configuration, err := readConfiguration(in.Configuration)
	if err != nil {
		return nil, err
	}
	c, err := s.ecs.UpdateCluster(ctx, aws.ToString(in.Cluster), func(c *model.Cluster) {
		if len(in.Settings) > 0 {
			c.Settings = settings
		}
		if configuration != nil {
			c.Configuration = configuration
		}
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
	settings, err := readSettings(in.Settings)
	if err != nil {
		return nil, err
	}
	c, err := s.ecs.UpdateCluster(ctx, aws.ToString(in.Cluster), func(c *model.Cluster) { c.Settings = settings })
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateClusterSettingsOutput{Cluster: s.cluster(c, allClusterFields())}, nil
}

// putClusterCapacityProviders: codes ClusterNotFoundException,
// InvalidParameterException.
func (s *service) putClusterCapacityProviders(ctx context.Context, in *ecs.PutClusterCapacityProvidersInput) (*ecs.PutClusterCapacityProvidersOutput, error) {
	names, shares, err := readProviders(in.CapacityProviders, in.DefaultCapacityProviderStrategy)
	if err != nil {
		return nil, err
	}
	c, err := s.ecs.UpdateCluster(ctx, aws.ToString(in.Cluster), func(c *model.Cluster) {
		c.CapacityProviders, c.DefaultStrategy = names, shares
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
