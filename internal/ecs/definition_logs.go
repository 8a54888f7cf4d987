package ecs

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"neargate/internal/model"
)

// checkLogs refuses log configurations that Fargate would refuse, or that cannot
// be obeyed in a region. The drivers of a single machine are taken beside
// Fargate's. ClientException. [API_LogConfiguration].
func checkLogs(all []model.ContainerDefinition, region string) error {
	for _, c := range all {
		if err := firstError(checkLogOptions(c), checkLogBuffer(c), checkAWSLogs(c, region)); err != nil {
			return err
		}
	}
	return nil
}

// logOptions are those that a driver takes; open is true where they are not ours to
// know. ok is false for a driver that there is not.
func logOptions(driver string) (names []string, open, ok bool) {
	both := []string{"mode", "max-buffer-size"}
	switch driver {
	case "", model.LogNone:
		return nil, false, true
	case model.LogAWS:
		return append(both, "awslogs-group", "awslogs-region", "awslogs-stream-prefix", "awslogs-create-group",
			"awslogs-multiline-pattern", "awslogs-datetime-format"), false, true
	case model.LogFireLens: // they are for the plugin of the router
		return nil, true, true
	case model.LogFile, model.LogLocal: // [Docker, "JSON File logging driver"]
		return append(both, "max-size", "max-file", "compress", "labels", "labels-regex", "env", "env-regex", "tag"), false, true
	}
	return nil, false, false
}

func checkLogOptions(c model.ContainerDefinition) error {
	allowed, open, ok := logOptions(c.Log.Driver)
	if !ok {
		return client("Log driver %s is not supported by Neargate.", c.Log.Driver)
	}
	given := slices.Sorted(maps.Keys(c.Log.Options))
	for _, s := range c.Log.SecretOptions {
		given = append(given, s.Name)
	}
	wrong := slices.DeleteFunc(given, func(name string) bool { return open || slices.Contains(allowed, name) })
	if len(wrong) > 0 {
		return client("Log driver %s disallows options: %s", c.Log.Driver, strings.Join(wrong, ", "))
	}
	return nil
}

func checkLogBuffer(c model.ContainerDefinition) error {
	if _, option, ok := c.Log.Buffer(); !ok {
		return client("Log driver %s option '%s' has an invalid value '%s' (container %s).", c.Log.Driver, option, c.Log.Options[option], c.Name)
	}
	return nil
}

func checkAWSLogs(c model.ContainerDefinition, region string) error {
	if c.Log.Driver != model.LogAWS {
		return nil
	}
	for _, option := range []string{"awslogs-group", "awslogs-region", "awslogs-stream-prefix"} {
		if c.Log.Options[option] == "" {
			return client("Log driver awslogs requires options: %s (container %s).", option, c.Name)
		}
	}
	if r := c.Log.Options["awslogs-region"]; r != region {
		return client("Log driver awslogs option 'awslogs-region' is '%s', but this server is one of %s (container %s): serve --region names another.", r, region, c.Name)
	}
	if create := c.Log.Options["awslogs-create-group"]; create != "" && create != "true" && create != "false" {
		return client("Log driver awslogs option 'awslogs-create-group' has an invalid value '%s' (container %s).", create, c.Name)
	}
	pattern, option, ok := c.Log.EventPattern()
	if !ok {
		return client("Log driver awslogs options 'awslogs-datetime-format' and 'awslogs-multiline-pattern' cannot both be set (container %s).", c.Name)
	}
	if _, err := regexp.Compile(pattern); err != nil {
		return client("Log driver awslogs option '%s' has an invalid value '%s' (container %s).", option, c.Log.Options[option], c.Name)
	}
	return nil
}
