package ecs

import (
	"slices"
	"strings"

	"neargate/internal/decide/firelens"
	"neargate/internal/model"
)

// checkFireLens refuses routers of logs that Fargate would refuse, but takes a
// configuration from S3, which Fargate does not. ClientException.
// [API_FirelensConfiguration].
func checkFireLens(all []model.ContainerDefinition) error {
	sends := func(c model.ContainerDefinition) bool { return c.Log.Driver == model.LogFireLens }
	router, routed := firelens.Router(all)
	switch {
	case !routed && slices.ContainsFunc(all, sends):
		return client("When awsfirelens log driver is specified in log configuration, a firelens configuration object must be configured in one of the containers.")
	case !routed:
		return nil
	case !slices.ContainsFunc(all, sends):
		return client("When a firelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver.")
	case sends(router):
		return client("The awsfirelens log driver cannot be used by container '%s', which has the firelensConfiguration.", router.Name)
	}
	for _, c := range all {
		if c.FireLens != nil && c.Name != router.Name {
			return client("Only one container can have a firelensConfiguration in a task definition.")
		}
		if sends(c) && len(c.Log.Options) > 0 && c.Log.Options[firelens.Output(router.FireLens.Type)] == "" && hasOutputOptions(c.Log) {
			return client("missing output key %s which is required for firelens configuration of type %s (container %s).",
				firelens.Output(router.FireLens.Type), router.FireLens.Type, c.Name)
		}
	}
	return checkFireLensOptions(router)
}

// hasOutputOptions reports whether a container has options for its output's
// plugin: one without has its output in the router's own configuration.
func hasOutputOptions(log model.LogConfig) bool {
	for name := range log.Options {
		if !slices.Contains([]string{"mode", "max-buffer-size", "log-driver-buffer-limit", "include-pattern", "exclude-pattern"}, name) {
			return true
		}
	}
	return false
}

func checkFireLensOptions(router model.ContainerDefinition) error {
	lens := router.FireLens
	wrong := func(option string) error {
		return client("Invalid 'firelensConfiguration.options' setting for container '%s': %s is '%s'.", router.Name, option, lens.Options[option])
	}
	if lens.Type != model.FluentBit && lens.Type != model.Fluentd {
		return client("Invalid 'firelensConfiguration.type' setting for container '%s': it must be fluentd or fluentbit.", router.Name)
	}
	for option, value := range lens.Options {
		switch option {
		case model.OptionMetadata:
			if value != "true" && value != "false" {
				return wrong(option)
			}
		case model.OptionConfigType, model.OptionConfig:
		default:
			return client("Invalid 'firelensConfiguration.options' setting for container '%s': %s is not known.", router.Name, option)
		}
	}
	kind, value := lens.Options[model.OptionConfigType], lens.Options[model.OptionConfig]
	switch {
	case kind == "" && value == "":
		return nil
	case kind != "file" && kind != "s3":
		return wrong(model.OptionConfigType)
	case value == "" || strings.ContainsAny(value, "\r\n") || kind == "s3" && !strings.HasPrefix(value, "arn:aws:s3:::"):
		return wrong(model.OptionConfig)
	case kind == "file" && value == firelens.ConfigPath(lens.Type):
		return client("Invalid 'firelensConfiguration.options' setting for container '%s': %s is where FireLens puts its own configuration.", router.Name, value)
	}
	return nil
}
