package ecs

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"neargate/internal/model"
)

// texts are the texts of one setting of a container.
type texts struct {
	setting string
	all     []string
}

// checkTexts refuses what no program can be given or asked for: a name with a
// control character, and any text with a NUL.
func checkTexts(c model.ContainerDefinition) error {
	for _, t := range namesOf(c) {
		if slices.ContainsFunc(t.all, func(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }) {
			return client("Invalid '%s' setting for container '%s': a name contains a control character.", t.setting, c.Name)
		}
	}
	for _, t := range valuesOf(c) {
		if slices.ContainsFunc(t.all, func(s string) bool { return strings.ContainsRune(s, 0) }) {
			return client("Invalid '%s' setting for container '%s': it contains a NUL character.", t.setting, c.Name)
		}
	}
	return nil
}

// namesOf are the texts by which something is found: variables, options, secrets,
// files, images.
func namesOf(c model.ContainerDefinition) []texts {
	variables, _ := pairs(c.Environment)
	secrets, from := referenced(c.Secrets)
	options, optionsFrom := referenced(c.Log.SecretOptions)
	all := []texts{
		{"image", []string{c.Image}},
		{"repositoryCredentials", []string{c.RegistrySecret}},
		{"environment", variables},
		{"environmentFiles", c.EnvironmentFiles},
		{"secrets", slices.Concat(secrets, from)},
		{"secretOptions", slices.Concat(options, optionsFrom)},
		{"logConfiguration", slices.Collect(maps.Keys(c.Log.Options))},
		{"dockerLabels", slices.Collect(maps.Keys(c.DockerLabels))},
	}
	if c.FireLens != nil {
		all = append(all, texts{"firelensConfiguration", slices.Collect(maps.Keys(c.FireLens.Options))})
	}
	return all
}

// valuesOf are the texts that end up with a program as they are.
func valuesOf(c model.ContainerDefinition) []texts {
	_, variables := pairs(c.Environment)
	_, controls := pairs(c.SystemControls)
	all := []texts{
		{"command", c.Command},
		{"entryPoint", c.EntryPoint},
		{"workingDirectory", []string{c.WorkingDir}},
		{"user", []string{c.User}},
		{"environment", variables},
		{"systemControls", controls},
		{"logConfiguration", slices.Collect(maps.Values(c.Log.Options))},
		{"dockerLabels", slices.Collect(maps.Values(c.DockerLabels))},
	}
	for _, m := range c.MountPoints {
		all = append(all, texts{"mountPoints", []string{m.Path}})
	}
	if c.HealthCheck != nil {
		all = append(all, texts{"healthCheck", c.HealthCheck.Command})
	}
	if c.FireLens != nil {
		all = append(all, texts{"firelensConfiguration", slices.Collect(maps.Values(c.FireLens.Options))})
	}
	return all
}

func pairs(all []model.KeyValue) (names, values []string) {
	for _, kv := range all {
		names, values = append(names, kv.Name), append(values, kv.Value)
	}
	return names, values
}

func referenced(all []model.SecretReference) (names, from []string) {
	for _, s := range all {
		names, from = append(names, s.Name), append(from, s.ValueFrom)
	}
	return names, from
}
