package ecs

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	catalogue "neargate/internal/ecs"
	"neargate/internal/model"
)

// createCluster: codes InvalidParameterException, UnsupportedFeatureException.
func (s *service) createCluster(ctx context.Context, in *ecs.CreateClusterInput) (*ecs.CreateClusterOutput, error) {
	configuration, err := s.keepConfiguration(in.Configuration)
	if err != nil {
		return nil, err
	}
	c, err := s.ecs.CreateCluster(ctx, catalogue.CreateClusterRequest{
		Name: aws.ToString(in.ClusterName), Settings: readSettings(in.Settings), Tags: readTags(in.Tags), Configuration: configuration, Namespace: readDefaults(in.ServiceConnectDefaults),
		Providers: catalogue.Providers{Names: in.CapacityProviders, Strategy: readStrategy(in.DefaultCapacityProviderStrategy)},
	})
	if err != nil {
		return nil, err
	}
	return &ecs.CreateClusterOutput{Cluster: s.cluster(c, allClusterFields())}, nil
}

func readSettings(in []types.ClusterSetting) []model.Setting {
	all := make([]model.Setting, len(in))
	for i, set := range in {
		all[i] = model.Setting{Name: string(set.Name), Value: aws.ToString(set.Value)}
	}
	return all
}

func (s *service) keepConfiguration(in *types.ClusterConfiguration) ([]byte, error) {
	if in == nil {
		return nil, nil
	}
	data, err := s.records.Encode(in)
	if err != nil {
		return nil, fmt.Errorf("keep cluster configuration: %w", err)
	}
	return data, nil
}

// describeClusters: unknown clusters are failures.
func (s *service) describeClusters(_ context.Context, in *ecs.DescribeClustersInput) (*ecs.DescribeClustersOutput, error) {
	names := in.Clusters
	if len(names) == 0 {
		names = []string{"default"}
	}
	if len(names) > 100 {
		return nil, invalid("The maximum number of clusters is 100.")
	}
	out := &ecs.DescribeClustersOutput{Clusters: []types.Cluster{}, Failures: []types.Failure{}}
	for _, name := range names {
		c, ok := s.ecs.Cluster(name)
		if !ok {
			out.Failures = append(out.Failures, missing(s.place.ClusterARN(model.ARNTail(name, 1))))
			continue
		}
		out.Clusters = append(out.Clusters, *s.cluster(c, in.Include))
	}
	return out, nil
}

// listClusters: codes InvalidParameterException.
func (s *service) listClusters(_ context.Context, in *ecs.ListClustersInput) (*ecs.ListClustersOutput, error) {
	var arns []string
	for _, c := range s.ecs.Clusters() {
		if c.Status == model.Active {
			arns = append(arns, c.ARN)
		}
	}
	slices.Sort(arns)
	arns, next, err := page(arns, self, pageRequest{in.NextToken, in.MaxResults, 100})
	if err != nil {
		return nil, err
	}
	return &ecs.ListClustersOutput{ClusterArns: arns, NextToken: next}, nil
}
