package ecs

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// allClusterFields are what the answers to changes include.
func allClusterFields() []types.ClusterField {
	return []types.ClusterField{types.ClusterFieldTags, types.ClusterFieldSettings, types.ClusterFieldConfigurations, types.ClusterFieldAttachments}
}

// cluster is c as AWS answers it; what include does not name is left empty.
func (s *service) cluster(c model.Cluster, include []types.ClusterField) *types.Cluster {
	out := &types.Cluster{
		ClusterArn: aws.String(c.ARN), ClusterName: aws.String(c.Name), Status: aws.String(string(c.Status)),
		CapacityProviders: append([]string{}, c.CapacityProviders...), DefaultCapacityProviderStrategy: strategyOf(c.DefaultStrategy),
		Settings: []types.ClusterSetting{}, Statistics: []types.KeyValuePair{}, Tags: []types.Tag{}, Attachments: []types.Attachment{},
	}
	if ns := c.ConnectNamespace; ns.ARN != "" {
		out.ServiceConnectDefaults = &types.ClusterServiceConnectDefaults{Namespace: aws.String(ns.ARN)}
	}
	for _, t := range s.ecs.Tasks(c.Name) {
		countTask(t, &out.RunningTasksCount, &out.PendingTasksCount)
	}
	draining := 0
	for _, svc := range s.ecs.Services(c.Name) {
		switch svc.Status {
		case model.Active:
			out.ActiveServicesCount++
		case model.Draining:
			draining++
		default: // the others are not counted
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
				_ = s.records.Decode(c.Configuration, out.Configuration) // written by keepConfiguration
			}
		case types.ClusterFieldStatistics:
			out.Statistics = statistics(out, draining)
		default: // no attachments
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
	default:
	}
}
