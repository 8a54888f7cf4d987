package runtime

import (
	"slices"
	"strings"

	"neargate/internal/decide/dependency"
	"neargate/internal/decide/volume"
	"neargate/internal/model"
)

// The codes that a task's failure carries (ECS, "stopped task error codes").
const (
	CodePull     = "CannotPullContainerError"
	CodeStart    = "CannotStartContainerError"
	CodeResource = "ResourceInitializationError"
	CodeWait     = "Task failed to start" // all that ECS says where a container waits for another in vain
	CodeInternal = "InternalError"        // the machine or the engine failed a task that ran
)

// Lengths of names that fit into cgroups, files and links everywhere.
const (
	maxTaskID        = 64
	maxContainerName = 255
)

// Validate refuses a task that no engine could run, whatever its images hold.
// Kind Invalid.
func Validate(spec model.TaskSpec) error {
	if !named(spec.ID, maxTaskID) {
		return invalid("task ID %q is not valid", spec.ID)
	}
	if spec.CPUUnits <= 0 || spec.MemoryMiB <= 0 {
		return invalid("task %s needs CPU and memory, not %d units and %d MiB", spec.ID, spec.CPUUnits, spec.MemoryMiB)
	}
	if len(spec.Containers) == 0 {
		return invalid("task %s has no containers", spec.ID)
	}
	var containers []model.ContainerDefinition
	for _, c := range spec.Containers {
		if !named(c.Name, maxContainerName) {
			return invalid("container name %q is not valid", c.Name)
		}
		if slices.ContainsFunc(containers, func(other model.ContainerDefinition) bool { return other.Name == c.Name }) {
			return invalid("two containers are named %s", c.Name)
		}
		containers = append(containers, c.ContainerDefinition)
	}
	if wrong := dependency.Check(containers); wrong != "" {
		return invalid("%s", wrong)
	}
	if wrong := volume.Check(containers, spec.Volumes); wrong != "" {
		return invalid("%s", wrong)
	}
	return nil
}

// named reports whether s can be part of the names that engines make: at most n
// of ASCII's letters and digits, dashes and underscores. A regular expression
// would cost each start of the program, and there are two for each task.
func named(s string, n int) bool {
	return s != "" && len(s) <= n && strings.Trim(s,
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == ""
}

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, CodeResource, format, args...)
}
