package dependency

import (
	"slices"

	"neargate/internal/model"
)

// Needs reports whether a container waits for another, itself or by way of
// others. No circle is among the dependencies.
func Needs(containers []model.ContainerDefinition, name, other string) bool {
	i := slices.IndexFunc(containers, func(c model.ContainerDefinition) bool { return c.Name == name })
	return i >= 0 && slices.ContainsFunc(containers[i].DependsOn, func(d model.Dependency) bool {
		return d.Container == other || Needs(containers, d.Container, other)
	})
}
