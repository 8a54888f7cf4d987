package ecs

import (
	"context"
	"slices"
	"time"

	"neargate/internal/model"
)

// RegisterTaskDefinitionRequest is what RegisterTaskDefinition takes.
type RegisterTaskDefinitionRequest struct {
	Family                        string
	CPU, Memory                   string // of the whole task: "256", ".25 vCPU"; "512", "0.5 GB"
	NetworkMode                   string
	Compatibilities               []string // required ones
	CPUArchitecture, OSFamily     string   // "" is the machine's, LINUX
	EphemeralGiB                  int      // 0 is Fargate's 20
	TaskRoleARN, ExecutionRoleARN string
	Containers                    []model.ContainerDefinition
	Volumes                       []model.Volume
	PIDMode                       string // "" or task
	Tags                          []model.Tag
	RegisteredBy                  string // an ARN
	Request                       []byte // as it came: JSON in AWS's field names
}

// RegisterTaskDefinition keeps a definition as the next revision of its family.
// ClientException, InvalidParameterException.
func (c *Catalogue) RegisterTaskDefinition(ctx context.Context, req RegisterTaskDefinitionRequest) (model.TaskDefinition, error) {
	def := model.TaskDefinition{
		Family: req.Family, NetworkMode: req.NetworkMode, TaskRoleARN: req.TaskRoleARN, ExecutionRoleARN: req.ExecutionRoleARN,
		Containers: req.Containers, Volumes: req.Volumes, SharePIDs: req.PIDMode == "task", EphemeralGiB: req.EphemeralGiB, Tags: req.Tags,
		Status: model.Active, RegisteredAt: time.Now(), RegisteredBy: req.RegisteredBy, Request: req.Request,
	}
	err := firstError(req.check(), checkTags(req.Tags), checkRole(req.TaskRoleARN), checkRole(req.ExecutionRoleARN))
	if err != nil {
		return def, err
	}
	def.Architecture, _ = model.ParseArchitecture(req.CPUArchitecture)
	if req.fargate() {
		if def.CPUUnits, def.MemoryMiB, err = fargateSize(req.CPU, req.Memory); err != nil {
			return def, err
		}
	}
	if err := firstError(checkContainers(def.Containers, def.CPUUnits, def.MemoryMiB), checkSecrets(def), checkVolumes(def), checkLogs(def.Containers, c.cfg.Place.Region), checkFireLens(def.Containers)); err != nil {
		return def, err
	}
	err = c.update(ctx, func(t tables) error {
		def.Revision = 1
		if all := t.definitions.List(def.Family + "/"); len(all) > 0 {
			def.Revision = all[len(all)-1].Revision + 1
		}
		def.ARN = c.cfg.Place.TaskDefinitionARN(def.Family, def.Revision)
		t.definitions.Put(definitionKey(def.Family, def.Revision), def)
		return nil
	})
	return def, err
}

const awsvpc = "awsvpc"

// fargate reports whether the definition is to run on Fargate: because it says
// so, or because it can.
func (req RegisterTaskDefinitionRequest) fargate() bool {
	return slices.Contains(req.Compatibilities, "FARGATE") ||
		req.NetworkMode == awsvpc && req.CPU != "" && req.Memory != ""
}

// compatibilities are where a task may be to run. [API_RegisterTaskDefinition].
func compatibilities() []string { return []string{"EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"} }

const maxContainers = 10

// maxDefinition is how many bytes of JSON a definition may have. [Amazon ECS
// service quotas, "Task definition size"].
const maxDefinition = 64 << 10

func (req RegisterTaskDefinitionRequest) check() error {
	switch {
	case len(req.Request) > maxDefinition:
		return client("Actual length: '%d'. Max allowed length is '%d' bytes.", len(req.Request), maxDefinition)
	case !validName(req.Family):
		return client("Family contains invalid characters or is not between 1 and 255 characters long.")
	case len(req.Containers) == 0:
		return client("Container list cannot be empty.")
	case len(req.Containers) > maxContainers:
		return client("Too many containers. A task definition can have at most %d containers.", maxContainers)
	case slices.Contains(req.Compatibilities, "FARGATE") && req.NetworkMode != awsvpc:
		return client("Fargate only supports network mode ‘awsvpc’.")
	case slices.ContainsFunc(req.Compatibilities, func(c string) bool { return !slices.Contains(compatibilities(), c) }):
		return client("Invalid 'requiresCompatibilities' setting for task definition.")
	case req.PIDMode != "" && req.PIDMode != "task":
		return client("Tasks using the Fargate launch type do not support pidMode '%s'. The supported value for pidMode is 'task'.", req.PIDMode)
	}
	return checkPlatform(req.CPUArchitecture, req.OSFamily)
}

// checkPlatform takes every architecture that Fargate has, whatever the machine
// can run: definitions are shared between machines. What cannot run is not placed.
func checkPlatform(architecture, osFamily string) error {
	_, known := model.ParseArchitecture(architecture)
	switch {
	case !known:
		return client("Invalid 'cpuArchitecture' setting for task definition: %s.", architecture)
	case osFamily != "" && osFamily != "LINUX":
		return client("The operatingSystemFamily %s is not supported by Neargate.", osFamily)
	}
	return nil
}

// EphemeralStorage returns a size of ephemeral storage, in GiB, within
// Fargate's bounds. ClientException.
func EphemeralStorage(gib int) (int, error) {
	if gib < 21 || gib > 200 {
		return 0, client("Ephemeral storage size must be between 21 and 200 GiB.")
	}
	return gib, nil
}
