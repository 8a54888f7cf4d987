package ecs

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// The two prefixes of capabilities; the agent gives new ones the second.
const (
	oldCapability = "com.amazonaws.ecs.capability."
	capability    = "ecs.capability."
)

// attributes are the agent's capabilities that a definition calls for, by their
// names in its source (agent/app/agent_capability.go).
func attributes(in *ecs.RegisterTaskDefinitionInput) []types.Attribute {
	names := needs{}
	names.add(true, oldCapability+"docker-remote-api.1.18")
	names.add(in.TaskRoleArn != nil, oldCapability+"task-iam-role")
	names.add(in.NetworkMode == types.NetworkModeAwsvpc, capability+"task-eni")
	names.add(in.PidMode != "" || in.IpcMode != "", capability+"pid-ipc-namespace-sharing")
	for _, v := range in.Volumes {
		if efs := v.EfsVolumeConfiguration; efs != nil {
			names.add(true, capability+"efs")
			names.add(efs.AuthorizationConfig != nil || efs.TransitEncryption == types.EFSTransitEncryptionEnabled, capability+"efsAuth")
		}
	}
	for _, c := range in.ContainerDefinitions {
		names.addContainer(c, in.ExecutionRoleArn != nil)
	}
	slices.Sort(names.all)
	var all []types.Attribute
	for _, name := range slices.Compact(names.all) {
		all = append(all, types.Attribute{Name: aws.String(name)})
	}
	return all
}

// needs are names of capabilities.
type needs struct{ all []string }

func (n *needs) add(needed bool, name string) {
	if needed {
		n.all = append(n.all, name)
	}
}

// addContainer adds what a container calls for; role reports whether the task has
// an execution role.
func (n *needs) addContainer(c types.ContainerDefinition, role bool) {
	ecr := strings.Contains(aws.ToString(c.Image), ".dkr.ecr.")
	n.add(ecr, oldCapability+"ecr-auth")
	n.add(ecr && role, capability+"execution-role-ecr-pull")
	n.add(c.RepositoryCredentials != nil, capability+"private-registry-authentication.secretsmanager")
	n.add(c.HealthCheck != nil, capability+"container-health-check")
	n.add(len(c.DependsOn) > 0, capability+"container-ordering")
	n.add(c.RestartPolicy != nil, capability+"container-restart-policy")
	n.add(len(c.EnvironmentFiles) > 0, capability+"env-files.s3")
	n.addSecrets(c.Secrets, "environment-variables")
	for _, p := range c.PortMappings {
		n.add(p.ContainerPortRange != nil, capability+"network.container-port-range")
	}
	if f := c.FirelensConfiguration; f != nil {
		n.add(true, capability+"firelens."+string(f.Type))
		kind := f.Options["config-file-type"]
		n.add(kind != "", capability+"firelens.options.config."+kind)
	}
	if log := c.LogConfiguration; log != nil {
		n.add(true, oldCapability+"logging-driver."+string(log.LogDriver))
		n.add(true, oldCapability+"docker-remote-api.1.19")
		n.add(role, capability+"execution-role-awslogs")
		n.addSecrets(log.SecretOptions, "bootstrap.log-driver")
	}
}

// addSecrets adds from where secrets are filled into what.
func (n *needs) addSecrets(secrets []types.Secret, what string) {
	for _, s := range secrets {
		from := "ssm"
		if strings.Contains(aws.ToString(s.ValueFrom), ":secretsmanager:") {
			from = "asm"
		}
		n.add(true, capability+"secrets."+from+"."+what)
	}
}
