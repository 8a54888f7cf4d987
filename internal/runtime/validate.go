package runtime

import (
	"slices"
	"strings"

	"neargate/internal/model"
)

// The codes that a task's failure carries (ECS, "stopped task error codes").
const (
	CodePull     = "CannotPullContainerError"
	CodeStart    = "CannotStartContainerError"
	CodeResource = "ResourceInitializationError"
	CodeInternal = "InternalError" // the machine or the engine failed a task that ran
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
	dependencies := map[string][]model.Dependency{}
	for _, c := range spec.Containers {
		if !named(c.Name, maxContainerName) {
			return invalid("container name %q is not valid", c.Name)
		}
		if _, twice := dependencies[c.Name]; twice {
			return invalid("two containers are named %s", c.Name)
		}
		dependencies[c.Name] = c.DependsOn
	}
	for _, c := range spec.Containers {
		if err := checkDependencies(dependencies, c.Name, nil); err != nil {
			return err
		}
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

// checkDependencies follows the dependencies of a container; path is how it
// came there.
func checkDependencies(all map[string][]model.Dependency, name string, path []string) error {
	if slices.Contains(path, name) {
		return invalid("containers depend on each other: %s", strings.Join(append(path, name), ", "))
	}
	for _, d := range all[name] {
		if _, ok := all[d.Container]; !ok {
			return invalid("container %s depends on %s, which is not in the task", name, d.Container)
		}
		switch d.Condition {
		case "START", "COMPLETE", "SUCCESS", "HEALTHY":
		default:
			return invalid("container %s depends on %s by the unknown condition %q", name, d.Container, d.Condition)
		}
		if err := checkDependencies(all, d.Container, append(path, name)); err != nil {
			return err
		}
	}
	return nil
}
