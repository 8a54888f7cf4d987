package ecs

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// createCluster: codes InvalidParameterException, UnsupportedFeatureException.
func (s *service) createCluster(ctx context.Context, in *ecs.CreateClusterInput) (*ecs.CreateClusterOutput, error) {
	c := model.Cluster{Name: deref(in.ClusterName, "default")}
	if !nameForm.MatchString(c.Name) {
		return nil, invalid("Invalid identifier for cluster name: up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.")
	}
	if err := refuse(refusal{in.ServiceConnectDefaults != nil, "serviceConnectDefaults"}); err != nil {
		return nil, err
	}
	var err error
	if c.Tags, err = readTags(nil, in.Tags); err != nil {
		return nil, err
	}
	if c.Settings, err = readSettings(in.Settings); err != nil {
		return nil, err
	}
	if c.CapacityProviders, c.DefaultStrategy, err = readProviders(in.CapacityProviders, in.DefaultCapacityProviderStrategy); err != nil {
		return nil, err
	}
	if c.Configuration, err = readConfiguration(in.Configuration); err != nil {
		return nil, err
	}
	if c, err = s.ecs.CreateCluster(ctx, c); err != nil {
		return nil, err
	}
	return &ecs.CreateClusterOutput{Cluster: s.cluster(c, allClusterFields())}, nil
}

// readSettings checks cluster settings and adds the default.
func readSettings(in []types.ClusterSetting) ([]model.Setting, error) {
	value := "disabled"
	for _, set := range in {
		if set.Name != types.ClusterSettingNameContainerInsights {
			return nil, invalid("Invalid cluster setting name: %s", set.Name)
		}
		value = aws.ToString(set.Value)
		if !slices.Contains([]string{"disabled", "enabled", "enhanced"}, value) {
			return nil, invalid("Invalid value for containerInsights: %s", value)
		}
	}
	return []model.Setting{{Name: "containerInsights", Value: value}}, nil
}

// readProviders checks a cluster's capacity providers and default strategy.
func readProviders(names []string, strategy []types.CapacityProviderStrategyItem) ([]string, []model.CapacityProviderShare, error) {
	shares, err := readStrategy(strategy)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		if !fargateProvider(name) {
			return nil, nil, invalid("The specified capacity provider '%s' was not found. Specify a valid name or ARN and try again.", name)
		}
	}
	for _, share := range shares {
		if !slices.Contains(names, share.Provider) {
			return nil, nil, invalid("The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again.")
		}
	}
	return names, shares, nil
}

func fargateProvider(name string) bool { return name == "FARGATE" || name == "FARGATE_SPOT" }

func readStrategy(in []types.CapacityProviderStrategyItem) ([]model.CapacityProviderShare, error) {
	var shares []model.CapacityProviderShare
	for _, item := range in {
		name := aws.ToString(item.CapacityProvider)
		if !fargateProvider(name) {
			return nil, invalid("The specified capacity provider '%s' was not found. Specify a valid name or ARN and try again.", name)
		}
		if item.Base < 0 || item.Base > 100000 || item.Weight < 0 || item.Weight > 1000 {
			return nil, invalid("Capacity provider base must be between 0 and 100,000 and weight between 0 and 1,000.")
		}
		shares = append(shares, model.CapacityProviderShare{Provider: name, Base: int(item.Base), Weight: int(item.Weight)})
	}
	return shares, nil
}

func strategyOf(shares []model.CapacityProviderShare) []types.CapacityProviderStrategyItem {
	all := make([]types.CapacityProviderStrategyItem, len(shares))
	for i, share := range shares {
		all[i] = types.CapacityProviderStrategyItem{CapacityProvider: aws.String(share.Provider), Base: int32(share.Base), Weight: int32(share.Weight)}
	}
	return all
}

func readConfiguration(in *types.ClusterConfiguration) ([]byte, error) {
	if in == nil {
		return nil, nil
	}
	data, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode cluster configuration: %w", err)
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
	arns, next, err := page(arns, in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, err
	}
	return &ecs.ListClustersOutput{ClusterArns: arns, NextToken: next}, nil
}
