// Package firelens says what FireLens makes of a task definition: which container
// routes the others' output, and the configuration it is given. The texts are
// those of the ECS agent's generator, in its order.
package firelens

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"neargate/internal/model"
)

// Socket is the path at which a router takes output.
const Socket = "/var/run/fluent.sock"

// Port is where a router listens in the task for programs that send by
// themselves.
const Port = 24224

// Router returns the container that routes output; ok is false where there is
// none.
func Router(containers []model.ContainerDefinition) (c model.ContainerDefinition, ok bool) {
	i := slices.IndexFunc(containers, func(c model.ContainerDefinition) bool { return c.FireLens != nil })
	if i < 0 {
		return c, false
	}
	return containers[i], true
}

// Tag is what a container's records are told by.
func Tag(container, task string) string { return container + "-firelens-" + task }

// SecretVariable is the variable of the router that holds an option of the nth
// container's log configuration, whose value is a secret.
func SecretVariable(option string, n int) string { return option + "_" + strconv.Itoa(n) }

// ConfigPath is where a router of a type finds its configuration.
func ConfigPath(kind string) string {
	if kind == model.Fluentd {
		return "/fluentd/etc/fluent.conf"
	}
	return "/fluent-bit/etc/fluent-bit.conf"
}

// ExternalPath is where a router of a type finds a configuration from S3.
func ExternalPath(kind string) string {
	if kind == model.Fluentd {
		return "/fluentd/etc/external.conf"
	}
	return "/fluent-bit/etc/external.conf"
}

// Task is the task that a configuration is for.
type Task struct {
	Cluster    string // its name
	ARN        string
	Definition string // FAMILY:REVISION
	Containers []model.ContainerDefinition
}

// field is a name with a value, in a configuration.
type field struct{ name, value string }

// Config returns the configuration of the task's router, whose definition it is.
func Config(t Task, router model.ContainerDefinition) string {
	var records []field
	if router.FireLens.Options[model.OptionMetadata] != "false" {
		records = []field{{"ecs_cluster", t.Cluster}, {"ecs_task_arn", t.ARN}, {"ecs_task_definition", t.Definition}}
	}
	include := router.FireLens.Options[model.OptionConfig]
	if router.FireLens.Options[model.OptionConfigType] == "s3" {
		include = ExternalPath(router.FireLens.Type)
	}
	var w interface {
		begin(records []field, include string)
		filter(match, pattern string, exclude bool)
		output(match, kind string, options []field)
		String() string
	} = &fluentBit{}
	if router.FireLens.Type == model.Fluentd {
		w = &fluentd{}
	}
	for _, c := range t.Containers {
		if c.Log.Driver != model.LogFireLens {
			continue
		}
		if p := c.Log.Options["include-pattern"]; p != "" {
			w.filter(c.Name, p, false)
		}
		if p := c.Log.Options["exclude-pattern"]; p != "" {
			w.filter(c.Name, p, true)
		}
	}
	w.begin(records, include)
	for i, c := range t.Containers {
		if c.Log.Driver != model.LogFireLens {
			continue
		}
		if kind := c.Log.Options[Output(router.FireLens.Type)]; kind != "" {
			w.output(c.Name, kind, options(c.Log, router.FireLens.Type, i))
		}
	}
	return w.String()
}

// Output is the option that names the plugin of a container's output.
func Output(kind string) string {
	if kind == model.Fluentd {
		return "@type"
	}
	return "Name"
}

// options are those of an output's plugin: all that are not FireLens's own.
func options(log model.LogConfig, kind string, n int) []field {
	var all []field
	for _, name := range slices.Sorted(maps.Keys(log.Options)) {
		switch name {
		case Output(kind), "include-pattern", "exclude-pattern", "log-driver-buffer-limit", "mode", "max-buffer-size":
		default:
			all = append(all, field{name, log.Options[name]})
		}
	}
	for _, s := range log.SecretOptions {
		variable := SecretVariable(s.Name, n)
		if kind == model.Fluentd {
			all = append(all, field{s.Name, `"#{ENV['` + variable + `']}"`})
		} else {
			all = append(all, field{s.Name, "${" + variable + "}"})
		}
	}
	return all
}

// section writes a section of lines that stand below its first.
func section(out *strings.Builder, begin, end string, lines ...field) {
	out.WriteString("\n" + begin + "\n")
	for _, l := range lines {
		out.WriteString("    " + l.name + " " + l.value + "\n")
	}
	out.WriteString(end)
}
