package ecs

import (
	"cmp"
	"slices"
	"strconv"

	"neargate/internal/model"
)

// RunTaskRequest is what RunTask takes.
type RunTaskRequest struct {
	Cluster, TaskDefinition string
	Count                   int
	LaunchType              string // "" with a strategy
	Strategy                []model.CapacityProviderShare
	Network                 *model.Network
	PlatformVersion         string // "" is LATEST
	Group, StartedBy        string // Group "" is family:FAMILY
	ClientToken             string
	PropagateTags           string // TASK_DEFINITION, or "" for none
	Tags                    []model.Tag
	ManagedTags             bool
	ExecuteCommand          bool
	Overrides               TaskOverrides
}

// TaskOverrides is what a task has otherwise than its definition says.
type TaskOverrides struct {
	CPU, Memory  string // as in a definition; "" is the definition's
	EphemeralGiB int    // 0 is the definition's
	Containers   []model.ContainerOverride
	Length       int // of all as JSON, in bytes
	// TaskRoleARN and ExecutionRoleARN are names or ARNs; "" is the definition's.
	TaskRoleARN, ExecutionRoleARN string
}

// NewTask checks a request and returns the task that it asks for Count times,
// but for what makes each its own: ID, ARNs and times. Nothing is kept.
// ClusterNotFoundException, ClientException, InvalidParameterException,
// PlatformUnknownException, UnsupportedFeatureException.
func (c *Catalogue) NewTask(req RunTaskRequest) (model.Task, error) {
	cluster, err := c.ActiveCluster(req.Cluster)
	if err != nil {
		return model.Task{}, err
	}
	if err := firstError(req.check(), c.findNetwork(req.Network)); err != nil {
		return model.Task{}, err
	}
	def, err := c.Runnable(req.TaskDefinition)
	if err != nil {
		return model.Task{}, err
	}
	if req.ExecuteCommand && def.TaskRoleARN == "" && req.Overrides.TaskRoleARN == "" {
		return model.Task{}, errNoTaskRole("task couldn't be run")
	}
	launch, err := NewLaunch(req.LaunchType, req.Strategy, cluster)
	if err != nil {
		return model.Task{}, err
	}
	t := model.Task{
		Cluster: cluster.Name, ClusterARN: cluster.ARN, TaskDefinitionARN: def.ARN, Network: *req.Network, LaunchType: launch.Type,
		Group: cmp.Or(req.Group, "family:"+def.Family), StartedBy: req.StartedBy, ClientToken: req.ClientToken,
		PlatformVersion: cmp.Or(req.PlatformVersion, "LATEST"), EnableExecuteCommand: req.ExecuteCommand,
	}
	if len(launch.Strategy) > 0 {
		t.CapacityProvider = launch.Strategy[0].Provider
	}
	if t.Tags, err = req.tags(cluster, def); err != nil {
		return t, err
	}
	if err := req.Overrides.apply(def, &t); err != nil {
		return t, err
	}
	if role := t.Role(def); !c.assumable(role) {
		return t, client("%s", noRole(role))
	}
	return t, nil
}

func (req RunTaskRequest) check() error {
	switch {
	case req.Count < 1 || req.Count > 10:
		return invalid("Count must be between 1 and 10.")
	case req.TaskDefinition == "":
		return client("TaskDefinition can not be blank.")
	case len(req.StartedBy) > 128:
		return invalid("startedBy can have at most 128 characters.")
	case req.Network == nil:
		return errNoNetwork()
	case req.PropagateTags == "SERVICE":
		return invalid("The propagateTags value SERVICE is only for tasks of a service.")
	}
	return firstError(checkVersion(req.PlatformVersion), checkNetwork(*req.Network), checkTags(req.Tags))
}

func (req RunTaskRequest) tags(cluster model.Cluster, def model.TaskDefinition) ([]model.Tag, error) {
	var tags []model.Tag
	if req.PropagateTags == "TASK_DEFINITION" {
		tags = def.Tags
	}
	tags = model.MergeTags(tags, req.Tags)
	if err := countTags(tags); err != nil {
		return nil, err
	}
	if req.ManagedTags {
		tags = append(tags, model.Tag{Key: "aws:ecs:clusterName", Value: cluster.Name})
	}
	return tags, nil
}

// apply puts the overrides into a task of def.
func (o TaskOverrides) apply(def model.TaskDefinition, t *model.Task) error {
	if o.CPU != "" || o.Memory != "" {
		var err error
		t.CPUUnits, t.MemoryMiB, err = fargateSize(cmp.Or(o.CPU, strconv.Itoa(def.CPUUnits)), cmp.Or(o.Memory, strconv.Itoa(def.MemoryMiB)))
		if err != nil {
			return err
		}
	}
	if err := firstError(checkRole(o.TaskRoleARN), checkRole(o.ExecutionRoleARN)); err != nil {
		return err
	}
	t.EphemeralGiB, t.TaskRoleARN, t.ExecutionRoleARN = o.EphemeralGiB, o.TaskRoleARN, o.ExecutionRoleARN
	t.Overrides = o.Containers
	return o.checkContainers(def.Containers, cmp.Or(t.CPUUnits, def.CPUUnits), cmp.Or(t.MemoryMiB, def.MemoryMiB))
}

// maxOverrides is how long overrides may be as JSON. [API_RunTask, "overrides"].
const maxOverrides = 8192

// checkContainers refuses overrides of containers that are not there, and those
// with which a definition would be refused.
func (o TaskOverrides) checkContainers(all []model.ContainerDefinition, taskCPU, taskMemory int) error {
	if o.Length > maxOverrides {
		return invalid("Container Overrides length must be at most %d", maxOverrides)
	}
	all = slices.Clone(all)
	for _, c := range o.Containers {
		i := slices.IndexFunc(all, func(d model.ContainerDefinition) bool { return d.Name == c.Name })
		if i < 0 {
			return invalid("Override for container named %s is not a container in the TaskDefinition.", c.Name)
		}
		if err := checkEnvironmentFiles(c.Name, c.EnvironmentFiles); err != nil {
			return err
		}
		all[i] = all[i].Override(c)
	}
	return checkContainers(all, taskCPU, taskMemory)
}
