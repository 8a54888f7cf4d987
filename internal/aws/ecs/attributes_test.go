package ecs

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Each part of a definition calls for the agent's capability for it.
func TestRequiredAttributes(t *testing.T) {
	const secret, parameter = "arn:aws:secretsmanager:us-east-1:000000000000:secret:a-123456", "/a/b"
	container := func(change func(*types.ContainerDefinition)) func(*ecs.RegisterTaskDefinitionInput) {
		return func(in *ecs.RegisterTaskDefinitionInput) { change(&in.ContainerDefinitions[0]) }
	}
	from := func(values ...string) (all []types.Secret) {
		for _, v := range values {
			all = append(all, types.Secret{Name: aws.String("A"), ValueFrom: aws.String(v)})
		}
		return all
	}
	for _, row := range []struct {
		name string
		set  func(*ecs.RegisterTaskDefinitionInput)
		want []string // besides those that each has
	}{
		{"nothing", func(*ecs.RegisterTaskDefinitionInput) {}, nil},
		{"a task role", func(in *ecs.RegisterTaskDefinitionInput) { in.TaskRoleArn = aws.String("r") }, []string{oldCapability + "task-iam-role"}},
		{"shared processes", func(in *ecs.RegisterTaskDefinitionInput) { in.PidMode = types.PidModeTask }, []string{capability + "pid-ipc-namespace-sharing"}},
		{"EFS", func(in *ecs.RegisterTaskDefinitionInput) {
			in.Volumes = []types.Volume{{EfsVolumeConfiguration: &types.EFSVolumeConfiguration{}}}
		}, []string{capability + "efs"}},
		{"EFS with an access point", func(in *ecs.RegisterTaskDefinitionInput) {
			in.Volumes = []types.Volume{{EfsVolumeConfiguration: &types.EFSVolumeConfiguration{AuthorizationConfig: &types.EFSAuthorizationConfig{}}}}
		}, []string{capability + "efs", capability + "efsAuth"}},
		{"an image of ECR", func(in *ecs.RegisterTaskDefinitionInput) {
			in.ExecutionRoleArn = aws.String("r")
			in.ContainerDefinitions[0].Image = aws.String("000000000000.dkr.ecr.us-east-1.amazonaws.com/web:1")
		}, []string{oldCapability + "ecr-auth", capability + "execution-role-ecr-pull"}},
		{
			"a private registry", container(func(c *types.ContainerDefinition) { c.RepositoryCredentials = &types.RepositoryCredentials{} }),
			[]string{capability + "private-registry-authentication.secretsmanager"},
		},
		{"a health check", container(func(c *types.ContainerDefinition) { c.HealthCheck = &types.HealthCheck{} }), []string{capability + "container-health-check"}},
		{"a dependency", container(func(c *types.ContainerDefinition) { c.DependsOn = []types.ContainerDependency{{}} }), []string{capability + "container-ordering"}},
		{"a restart policy", container(func(c *types.ContainerDefinition) { c.RestartPolicy = &types.ContainerRestartPolicy{} }), []string{capability + "container-restart-policy"}},
		{"environment files", container(func(c *types.ContainerDefinition) { c.EnvironmentFiles = []types.EnvironmentFile{{}} }), []string{capability + "env-files.s3"}},
		{"a range of ports", container(func(c *types.ContainerDefinition) {
			c.PortMappings = []types.PortMapping{{ContainerPortRange: aws.String("1-2")}}
		}), []string{capability + "network.container-port-range"}},
		{
			"secrets", container(func(c *types.ContainerDefinition) { c.Secrets = from(secret, parameter, secret) }),
			[]string{capability + "secrets.asm.environment-variables", capability + "secrets.ssm.environment-variables"},
		},
		{"a log with secrets", container(func(c *types.ContainerDefinition) {
			c.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, SecretOptions: from(secret, parameter)}
		}), []string{
			oldCapability + "docker-remote-api.1.19", oldCapability + "logging-driver.awslogs",
			capability + "secrets.asm.bootstrap.log-driver", capability + "secrets.ssm.bootstrap.log-driver",
		}},
		{"FireLens", container(func(c *types.ContainerDefinition) {
			c.FirelensConfiguration = &types.FirelensConfiguration{Type: types.FirelensConfigurationTypeFluentbit, Options: map[string]string{"config-file-type": "s3"}}
		}), []string{capability + "firelens.fluentbit", capability + "firelens.options.config.s3"}},
	} {
		in := &ecs.RegisterTaskDefinitionInput{NetworkMode: types.NetworkModeAwsvpc, ContainerDefinitions: []types.ContainerDefinition{{Image: aws.String("web:1")}}}
		row.set(in)
		var got []string
		for _, a := range attributes(in) {
			got = append(got, *a.Name)
		}
		want := append([]string{oldCapability + "docker-remote-api.1.18", capability + "task-eni"}, row.want...)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", row.name, got, want)
		}
	}
}
