package scheduler

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"neargate/internal/model"
)

// The labels by which tasks of the scheduler are known in the engine.
const (
	labelCluster = "neargate.cluster"
	labelService = "neargate.service"
	labelGroup   = "neargate.group"
)

// ClusterOf returns the name of the cluster of a task that the scheduler started.
func ClusterOf(s model.RunState) string { return s.Labels[labelCluster] }

// taskSpec returns what the engine needs to run t, as far as t and def say it.
// Containers run the digests that are known.
func taskSpec(t model.Task, def model.TaskDefinition, digests map[string]string) model.TaskSpec {
	name := def.Family
	if t.Service != "" {
		name = t.Cluster + "/" + t.Service
	}
	spec := model.TaskSpec{
		ID: t.ID, Name: name, CPUUnits: t.CPUUnits, MemoryMiB: t.MemoryMiB,
		SecurityGroups: t.Network.SecurityGroups,
		Volumes:        slices.Clone(def.Volumes),
		SharePIDs:      def.SharePIDs,
		Architecture:   t.Architecture,
		EphemeralGiB:   cmp.Or(t.EphemeralGiB, def.EphemeralGiB, model.FargateDiskGiB),
		Labels:         map[string]string{labelCluster: t.Cluster, labelService: t.Service, labelGroup: t.Group},
	}
	for _, c := range def.Containers {
		one := containerSpec(t, c)
		one.ImageDigest = digests[c.Name]
		spec.Containers = append(spec.Containers, one)
	}
	routeLogs(&spec, t, def)
	return spec
}

func containerSpec(t model.Task, c model.ContainerDefinition) model.ContainerSpec {
	for _, o := range t.Overrides {
		if o.Name == c.Name {
			c = c.Override(o)
		}
	}
	spec := model.ContainerSpec{ContainerDefinition: c, Env: slices.Clone(c.Environment)}
	spec.LogGroup, spec.LogStream, _ = c.Log.Stream(c.Name, t.ID)
	return spec
}

// readyLogs creates the log groups that are to be created, and refuses a task whose
// groups are missing, as Fargate does. ResourceInitializationError.
func readyLogs(ctx context.Context, logs logGroups, spec model.TaskSpec) error {
	for _, c := range spec.Containers {
		if c.LogGroup == "" || logs.HasGroup(c.LogGroup) {
			continue
		}
		if !c.Log.MakesGroup() {
			return model.Errorf(model.NotFound, "ResourceInitializationError",
				"failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.: exit status 1")
		}
		if err := logs.EnsureGroup(ctx, c.LogGroup); err != nil {
			return fmt.Errorf("make log group %s: %w", c.LogGroup, err)
		}
	}
	return nil
}
