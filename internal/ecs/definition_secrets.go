package ecs

import (
	"slices"
	"strings"

	"neargate/internal/model"
)

// checkSecrets refuses references to secrets and files as AWS does.
// ClientException.
func checkSecrets(def model.TaskDefinition) error {
	for _, c := range def.Containers {
		if c.RegistrySecret != "" && def.ExecutionRoleARN == "" {
			return client("Fargate requires task definition to have execution role ARN to support private registry authentication.")
		}
		if len(c.Secrets)+len(c.Log.SecretOptions) > 0 && def.ExecutionRoleARN == "" {
			return client("When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.")
		}
		if len(c.EnvironmentFiles) > 0 && def.ExecutionRoleARN == "" {
			return client("When you are specifying environment files, you must also specify a value for 'executionRoleArn'.")
		}
		if err := firstError(checkReferences(c), checkEnvironmentFiles(c.Name, c.EnvironmentFiles)); err != nil {
			return err
		}
	}
	return nil
}

func checkReferences(c model.ContainerDefinition) error {
	for i, s := range c.Secrets {
		named := func(other model.SecretReference) bool { return other.Name == s.Name }
		set := func(kv model.KeyValue) bool { return kv.Name == s.Name }
		switch {
		case s.Name == "" || s.ValueFrom == "":
			return client("Container secrets must have a name and a valueFrom (container %s).", c.Name)
		case strings.Contains(s.Name, "="):
			return client("Invalid 'secrets' setting for container '%s': a name is not valid.", c.Name)
		case slices.ContainsFunc(c.Secrets[:i], named) || slices.ContainsFunc(c.Environment, set):
			return client("The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '%s'.", s.Name)
		}
	}
	for _, s := range c.Log.SecretOptions {
		if s.Name == "" || s.ValueFrom == "" {
			return client("Secret options of a log configuration must have a name and a valueFrom (container %s).", c.Name)
		}
	}
	return nil
}

// maxEnvironmentFiles is how many a container may name. [Amazon ECS developer
// guide, "use-environment-file"].
const maxEnvironmentFiles = 10

// checkEnvironmentFiles: an S3 object whose name ends in .env.
func checkEnvironmentFiles(container string, arns []string) error {
	if len(arns) > maxEnvironmentFiles {
		return client("Too many environment files in container '%s': at most %d.", container, maxEnvironmentFiles)
	}
	for _, arn := range arns {
		a, ok := model.ParseARN(arn)
		bucket, key, inBucket := strings.Cut(a.Resource, "/")
		if !ok || a.Service != "s3" || !inBucket || bucket == "" || key == "" {
			return client("Invalid 'environmentFiles' setting for container '%s': %s is not the ARN of an S3 object.", container, arn)
		}
		if !strings.HasSuffix(key, ".env") {
			return client("Invalid 'environmentFiles' setting for container '%s': the name of %s must end in .env.", container, arn)
		}
	}
	return nil
}
