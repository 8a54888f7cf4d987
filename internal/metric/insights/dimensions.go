package insights

import "neargate/internal/model"

// dimensions are the values that a metric's dimensions may have.
type dimensions struct {
	cluster, service, family, task, container string
}

// of returns the named dimensions, which come in the order of their names.
func (d dimensions) of(names ...string) []model.Dimension {
	values := map[string]string{
		"ClusterName": d.cluster, "ContainerName": d.container, "ServiceName": d.service, "TaskDefinitionFamily": d.family, "TaskId": d.task,
	}
	out := make([]model.Dimension, len(names))
	for i, name := range names {
		out[i] = model.Dimension{Name: name, Value: values[name]}
	}
	return out
}

// ofTask returns the sets of dimensions of a task's metrics; with its own where
// they are detailed.
func (d dimensions) ofTask(detailed bool) [][]model.Dimension {
	sets := [][]model.Dimension{d.of("ClusterName"), d.of("ClusterName", "TaskDefinitionFamily")}
	if detailed {
		sets = append(sets, d.of("ClusterName", "TaskDefinitionFamily", "TaskId"))
	}
	if d.service != "" {
		sets = append(sets, d.of("ClusterName", "ServiceName"))
		if detailed {
			sets = append(sets, d.of("ClusterName", "ServiceName", "TaskId"))
		}
	}
	return sets
}

// ofContainer returns the sets of dimensions of a container's metrics.
func (d dimensions) ofContainer() [][]model.Dimension {
	sets := [][]model.Dimension{
		d.of("ClusterName"),
		d.of("ClusterName", "ContainerName", "TaskDefinitionFamily"),
		d.of("ClusterName", "ContainerName", "TaskDefinitionFamily", "TaskId"),
	}
	if d.service != "" {
		sets = append(sets, d.of("ClusterName", "ContainerName", "ServiceName"), d.of("ClusterName", "ContainerName", "ServiceName", "TaskId"))
	}
	return sets
}
