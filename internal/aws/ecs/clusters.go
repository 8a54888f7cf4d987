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
	if c, err = s.sched.CreateCluster(ctx, c); err != nil {
		return nil, err
	}
	return &ecs.CreateClusterOutput{Cluster: s.cluster(c, allClusterFields)}, nil
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

var allClusterFields = []types.ClusterField{types.ClusterFieldTags, types.ClusterFieldSettings, types.ClusterFieldConfigurations, types.ClusterFieldAttachments}

// cluster is c as AWS answers it; what include does not name is left empty.
func (s *service) cluster(c model.Cluster, include []types.ClusterField) *types.Cluster {
	out := &types.Cluster{
		ClusterArn: aws.String(c.ARN), ClusterName: aws.String(c.Name), Status: aws.String(c.Status),
		CapacityProviders: append([]string{}, c.CapacityProviders...), DefaultCapacityProviderStrategy: strategyOf(c.DefaultStrategy),
		Settings: []types.ClusterSetting{}, Statistics: []types.KeyValuePair{}, Tags: []types.Tag{}, Attachments: []types.Attachment{},
	}
	for _, t := range s.sched.Tasks(c.Name) {
		countTask(t, &out.RunningTasksCount, &out.PendingTasksCount)
	}
	draining := 0
	for _, svc := range s.sched.Services(c.Name) {
		switch svc.Status {
		case "ACTIVE":
			out.ActiveServicesCount++
		case "DRAINING":
			draining++
		}
	}
	for _, field := range include {
		switch field {
		case types.ClusterFieldTags:
			out.Tags = tagsOf(c.Tags)
		case types.ClusterFieldSettings:
			for _, set := range c.Settings {
				out.Settings = append(out.Settings, types.ClusterSetting{Name: types.ClusterSettingName(set.Name), Value: aws.String(set.Value)})
			}
		case types.ClusterFieldConfigurations:
			if c.Configuration != nil {
				out.Configuration = &types.ClusterConfiguration{}
				_ = json.Unmarshal(c.Configuration, out.Configuration) // written by readConfiguration
			}
		case types.ClusterFieldStatistics:
			out.Statistics = statistics(out, draining)
		}
	}
	return out
}

func statistics(c *types.Cluster, draining int) []types.KeyValuePair {
	var all []types.KeyValuePair
	for _, stat := range []struct {
		name string
		n    int
	}{
		{"runningEC2TasksCount", 0},
		{"runningFargateTasksCount", int(c.RunningTasksCount)},
		{"pendingEC2TasksCount", 0},
		{"pendingFargateTasksCount", int(c.PendingTasksCount)},
		{"activeEC2ServiceCount", 0},
		{"activeFargateServiceCount", int(c.ActiveServicesCount)},
		{"drainingEC2ServiceCount", 0},
		{"drainingFargateServiceCount", draining},
	} {
		all = append(all, types.KeyValuePair{Name: aws.String(stat.name), Value: aws.String(strconv.Itoa(stat.n))})
	}
	return all
}

// countTask counts a task as running or pending, as AWS counts them.
func countTask(t model.Task, running, pending *int32) {
	switch t.LastStatus {
	case model.TaskRunning:
		*running++
	case model.TaskProvisioning, model.TaskPending, model.TaskActivating:
		*pending++
	}
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
		c, ok := s.sched.Cluster(name)
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
	for _, c := range s.sched.Clusters() {
		if c.Status == "ACTIVE" {
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
