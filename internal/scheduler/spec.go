package scheduler

import (
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

// spec makes what the engine needs to run t.
func (s *Scheduler) spec(t model.Task) (model.TaskSpec, error) {
	def, ok := s.records.TaskDefinition(t.TaskDefinitionARN)
	if !ok {
		return model.TaskSpec{}, fmt.Errorf("task definition %s is gone", t.TaskDefinitionARN)
	}
	name := def.Family
	if t.Service != "" {
		name = t.Cluster + "/" + t.Service
	}
	spec := model.TaskSpec{
		ID: t.ID, Name: name, CPUUnits: t.CPUUnits, MemoryMiB: t.MemoryMiB,
		SecurityGroups: t.Network.SecurityGroups,
		Labels:         map[string]string{labelCluster: t.Cluster, labelService: t.Service, labelGroup: t.Group},
	}
	for _, c := range def.Containers {
		spec.Containers = append(spec.Containers, s.containerSpec(t, c))
	}
	return spec, nil
}

func (s *Scheduler) containerSpec(t model.Task, c model.ContainerDefinition) model.ContainerSpec {
	env := slices.Clone(c.Environment)
	for _, o := range t.Overrides {
		if o.Name != c.Name {
			continue
		}
		if o.Command != nil {
			c.Command = o.Command
		}
		if o.CPUUnits > 0 {
			c.CPUUnits = o.CPUUnits
		}
		if o.MemoryMiB > 0 {
			c.MemoryMiB = o.MemoryMiB
		}
		for _, kv := range o.Environment {
			env = setEnv(env, kv, true)
		}
	}
	for _, kv := range s.platformEnv() {
		env = setEnv(env, kv, false)
	}
	spec := model.ContainerSpec{ContainerDefinition: c, Env: env}
	if c.Log.Driver == "awslogs" {
		spec.LogGroup = c.Log.Options["awslogs-group"]
		spec.LogStream = c.Log.Options["awslogs-stream-prefix"] + "/" + c.Name + "/" + t.ID
	}
	return spec
}

// platformEnv is what Fargate sets in every container. There is no metadata
// endpoint, so its address is not among it.
func (s *Scheduler) platformEnv() []model.KeyValue {
	return []model.KeyValue{
		{Name: "AWS_EXECUTION_ENV", Value: "AWS_ECS_FARGATE"},
		{Name: "AWS_REGION", Value: s.cfg.Place.Region},
		{Name: "AWS_DEFAULT_REGION", Value: s.cfg.Place.Region},
	}
}

// setEnv adds kv; a variable that is there is replaced only on demand.
func setEnv(env []model.KeyValue, kv model.KeyValue, replace bool) []model.KeyValue {
	i := slices.IndexFunc(env, func(e model.KeyValue) bool { return e.Name == kv.Name })
	switch {
	case i < 0:
		return append(env, kv)
	case replace:
		env[i] = kv
	}
	return env
}

// readyLogs makes the log groups that are to be made, and refuses a task whose
// groups are missing, as Fargate does. ResourceInitializationError.
func (s *Scheduler) readyLogs(ctx context.Context, spec model.TaskSpec) error {
	for _, c := range spec.Containers {
		if c.LogGroup == "" || s.logs.HasGroup(c.LogGroup) {
			continue
		}
		if c.Log.Options["awslogs-create-group"] != "true" {
			return model.Errorf(model.NotFound, "ResourceInitializationError",
				"failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.: exit status 1")
		}
		if err := s.logs.EnsureGroup(ctx, c.LogGroup); err != nil {
			return fmt.Errorf("make log group %s: %w", c.LogGroup, err)
		}
	}
	return nil
}
