package ecs

import (
	"maps"
	"slices"
	"strconv"
	"sync"

	"neargate/internal/decide/task"
	"neargate/internal/model"
)

// members are the tasks that run and are to run on, as instances of the services
// of Cloud Map that their services name. A task that is to stop is none any more
// when that is on disk, before its containers are told.
type members struct {
	mu sync.RWMutex
	by map[string]map[string]model.Instance // by registry and task
}

// Members returns the tasks of a service of Cloud Map as its instances.
func (c *Catalogue) Members(registryARN string) []model.Instance {
	c.members.mu.RLock()
	defer c.members.mu.RUnlock()
	return slices.Collect(maps.Values(c.members.by[registryARN]))
}

// enlist brings members up to date with what is recorded of tasks. Whoever comes
// last finds the latest record of each.
func (c *Catalogue) enlist(tasks []model.Task) {
	c.members.mu.Lock()
	defer c.members.mu.Unlock()
	for _, t := range tasks {
		for _, r := range registriesOf(t) {
			now, known := c.tasks.Get(taskKey(t))
			if !known || now.LastStatus != model.TaskRunning || now.DesiredStatus != model.TaskRunning || now.IP == "" {
				delete(c.members.by[r.RegistryARN], t.ID)
				continue
			}
			if c.members.by[r.RegistryARN] == nil {
				c.members.by[r.RegistryARN] = map[string]model.Instance{}
			}
			c.members.by[r.RegistryARN][t.ID] = c.member(now, r)
		}
	}
}

// registriesOf returns the services of Cloud Map that a task belongs to: its own ones,
// and those of its Service Connect endpoints.
func registriesOf(t model.Task) []model.ServiceRegistry {
	all := slices.Clone(t.Registries)
	for _, e := range t.Connect {
		all = append(all, model.ServiceRegistry{RegistryARN: e.DiscoveryARN, Port: e.ContainerPort})
	}
	return all
}

// member is a task as an instance, with the attributes that ECS gives it. A task
// that is checked is healthy when a check has said so.
func (c *Catalogue) member(t model.Task, r model.ServiceRegistry) model.Instance {
	def, _ := c.TaskDefinition(t.TaskDefinitionARN)
	checked, verdict := task.Checked(def), task.Verdict(def, t.Containers)
	in := model.Instance{
		ID: t.ID, Unhealthy: checked && verdict != "HEALTHY",
		Attributes: map[string]string{
			model.InstanceIPv4: t.IP, "AVAILABILITY_ZONE": c.cfg.Place.Region + "a", "REGION": c.cfg.Place.Region,
			"ECS_CLUSTER_NAME": t.Cluster, "ECS_SERVICE_NAME": t.Service, "ECS_TASK_DEFINITION_FAMILY": def.Family,
		},
	}
	if checked {
		in.Attributes[model.InstanceHealth] = "UNHEALTHY" // when it was registered
	}
	if port := max(r.Port, r.ContainerPort); port > 0 {
		in.Attributes[model.InstancePort] = strconv.Itoa(port)
	}
	return in
}
