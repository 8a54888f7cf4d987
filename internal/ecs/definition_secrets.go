package ecs

import (
	"slices"

	"neargate/internal/model"
)

// checkSecrets refuses references to secrets as AWS does. ClientException.
func checkSecrets(def model.TaskDefinition) error {
	for _, c := range def.Containers {
		if c.RegistrySecret != "" && def.ExecutionRoleARN == "" {
			return client("Fargate requires task definition to have execution role ARN to support private registry authentication.")
		}
		for i, s := range c.Secrets {
			named := func(other model.SecretReference) bool { return other.Name == s.Name }
			set := func(kv model.KeyValue) bool { return kv.Name == s.Name }
			switch {
			case def.ExecutionRoleARN == "":
				return client("When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.")
			case s.Name == "" || s.ValueFrom == "":
				return client("Container secrets must have a name and a valueFrom (container %s).", c.Name)
			case slices.ContainsFunc(c.Secrets[:i], named) || slices.ContainsFunc(c.Environment, set):
				return client("The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '%s'.", s.Name)
			}
		}
	}
	return nil
}
