package scheduler

import (
	"fmt"
	"slices"
	"strconv"

	"neargate/internal/decide/dependency"
	"neargate/internal/decide/firelens"
	"neargate/internal/model"
)

// routeLogs adds to a spec what FireLens does: the router's configuration and
// where the others' output goes. They start after it and end before it, but for
// one that it waits for itself.
func routeLogs(spec *model.TaskSpec, t model.Task, def model.TaskDefinition) {
	router, ok := firelens.Router(def.Containers)
	if !ok {
		return
	}
	lens := router.FireLens
	spec.Router = &model.LogRouter{Container: router.Name, SocketDir: "/var/run", Socket: "fluent.sock", Acks: lens.Type == model.FluentBit}
	if lens.Options[model.OptionConfigType] == "s3" {
		spec.Router.ExternalConfig, spec.Router.ExternalPath = lens.Options[model.OptionConfig], firelens.ExternalPath(lens.Type)
	}
	config := firelens.Config(firelens.Task{
		Cluster: t.Cluster, ARN: t.ARN, Definition: fmt.Sprintf("%s:%d", def.Family, def.Revision), Containers: def.Containers,
	}, router)
	for i := range spec.Containers {
		c := &spec.Containers[i]
		if c.Name == router.Name {
			c.Files = append(c.Files, model.File{Path: firelens.ConfigPath(lens.Type), Text: config})
		}
		if c.Log.Driver != model.LogFireLens {
			continue
		}
		c.LogTag = firelens.Tag(c.Name, t.ID)
		c.Env = setEnv(c.Env, model.KeyValue{Name: "FLUENT_HOST", Value: "127.0.0.1"})
		c.Env = setEnv(c.Env, model.KeyValue{Name: "FLUENT_PORT", Value: strconv.Itoa(firelens.Port)})
		if !dependency.Needs(def.Containers, router.Name, c.Name) {
			c.DependsOn = append(slices.Clone(c.DependsOn), model.Dependency{Container: router.Name, Condition: dependency.Start})
		}
	}
}
