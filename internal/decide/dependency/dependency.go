// Package dependency says which containers of a task may wait for which.
package dependency

import (
	"fmt"
	"slices"
	"strings"

	"neargate/internal/model"
)

// The conditions on which a container can wait for another.
// [API_ContainerDependency].
const (
	Start    = "START"
	Complete = "COMPLETE"
	Success  = "SUCCESS"
	Healthy  = "HEALTHY"
)

// Check returns what is wrong with the first dependency that no run of the
// containers can meet, in AWS's words where they are known; "" is nothing. That is
// one of an unknown container or condition, on the end of an essential container,
// on the health of one without a health check, or in a circle.
func Check(containers []model.ContainerDefinition) (wrong string) {
	byName := map[string]model.ContainerDefinition{}
	for _, c := range containers {
		byName[c.Name] = c
	}
	for _, c := range containers {
		for _, d := range c.DependsOn {
			if why := unmeetable(byName, d); why != "" {
				return why
			}
		}
	}
	done := map[string]bool{}
	for _, c := range containers {
		if path := circle(byName, done, c.Name, nil); path != nil {
			return fmt.Sprintf("Invalid 'dependsOn' setting for container '%s': containers depend on each other: %s", c.Name, strings.Join(path, ", "))
		}
	}
	return ""
}

func unmeetable(byName map[string]model.ContainerDefinition, d model.Dependency) string {
	on, ok := byName[d.Container]
	switch {
	case !ok:
		return fmt.Sprintf("Cannot depend on container %s because it does not exist", d.Container)
	case !slices.Contains([]string{Start, Complete, Success, Healthy}, d.Condition):
		return fmt.Sprintf("Dependency condition '%s' should be one of START, COMPLETE, SUCCESS and HEALTHY", d.Condition)
	case d.Condition == Healthy && on.HealthCheck == nil:
		return "A dependency container with HEALTHY condition must have health check configured"
	case (d.Condition == Complete || d.Condition == Success) && on.Essential:
		return "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"
	}
	return ""
}

// circle returns the names by which a container comes to wait for itself; path
// is how it was reached. Those that lead to no circle are noted as done, and not
// followed again: there may be very many ways to each.
func circle(byName map[string]model.ContainerDefinition, done map[string]bool, name string, path []string) []string {
	if done[name] {
		return nil
	}
	if i := slices.Index(path, name); i >= 0 {
		return append(slices.Clone(path[i:]), name)
	}
	for _, d := range byName[name].DependsOn {
		if found := circle(byName, done, d.Container, append(slices.Clone(path), name)); found != nil {
			return found
		}
	}
	done[name] = true
	return nil
}
