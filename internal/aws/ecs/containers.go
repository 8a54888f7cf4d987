package ecs

import (
	"cmp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// readContainers checks container definitions and makes ours of them.
// ClientException, UnsupportedFeatureException.
func readContainers(in []types.ContainerDefinition, taskMemory int) ([]model.ContainerDefinition, error) {
	var all []model.ContainerDefinition
	essential := false
	for _, c := range in {
		if err := checkContainer(c, taskMemory); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(other model.ContainerDefinition) bool { return other.Name == *c.Name }) {
			return nil, client("Container.name should be unique within the task definition. Name: %s", *c.Name)
		}
		all = append(all, container(c))
		essential = essential || all[len(all)-1].Essential
	}
	if !essential {
		return nil, client("A task definition must have at least one essential container.")
	}
	return all, checkDependencies(all)
}

func checkContainer(c types.ContainerDefinition, taskMemory int) error {
	name := aws.ToString(c.Name)
	switch {
	case !nameForm.MatchString(name):
		return client("Container.name contains invalid characters or is not between 1 and 255 characters long.")
	case aws.ToString(c.Image) == "":
		return client("Container.image should not be null or empty.")
	case c.Cpu < 0:
		return client("Invalid 'cpu' setting for container '%s'.", name)
	case c.Memory != nil && (*c.Memory < 6 || taskMemory > 0 && int(*c.Memory) > taskMemory):
		return client("Invalid 'memory' setting for container '%s'.", name)
	case c.StopTimeout != nil && (*c.StopTimeout < 0 || *c.StopTimeout > 120):
		return client("Invalid 'stopTimeout' setting for container '%s': the maximum on Fargate is 120 seconds.", name)
	}
	for _, p := range c.PortMappings {
		if p.ContainerPort == nil || *p.ContainerPort < 1 || *p.ContainerPort > 65535 {
			return client("Invalid 'containerPort' setting for container '%s'.", name)
		}
		if p.HostPort != nil && *p.HostPort != 0 && *p.HostPort != *p.ContainerPort {
			return client("When networkMode=awsvpc, the host ports and container ports in port mappings must match.")
		}
	}
	if err := checkHealthCheck(name, c.HealthCheck); err != nil {
		return err
	}
	if err := checkLog(name, c.LogConfiguration); err != nil {
		return err
	}
	return refuse(
		refusal{len(c.Secrets) > 0, "secrets"},
		refusal{len(c.EnvironmentFiles) > 0, "environmentFiles"},
		refusal{len(c.MountPoints) > 0, "mountPoints"},
		refusal{len(c.VolumesFrom) > 0, "volumesFrom"},
		refusal{c.FirelensConfiguration != nil, "firelensConfiguration"},
		refusal{c.RepositoryCredentials != nil, "repositoryCredentials"},
		refusal{len(c.ResourceRequirements) > 0, "resourceRequirements"},
		refusal{c.RestartPolicy != nil && aws.ToBool(c.RestartPolicy.Enabled), "restartPolicy"},
		refusal{aws.ToBool(c.Privileged), "privileged"},
		refusal{len(c.SystemControls) > 0, "systemControls"},
		refusal{len(c.Links) > 0, "links"},
		refusal{len(c.ExtraHosts) > 0, "extraHosts"},
		refusal{len(c.DnsServers)+len(c.DnsSearchDomains) > 0, "dnsServers"},
		refusal{len(c.CredentialSpecs) > 0, "credentialSpecs"},
	)
}

// checkHealthCheck: API_HealthCheck.
func checkHealthCheck(name string, h *types.HealthCheck) error {
	if h == nil {
		return nil
	}
	within := func(v *int32, low, high int32) bool { return v == nil || *v >= low && *v <= high }
	switch {
	case len(h.Command) == 0 || h.Command[0] != "CMD" && h.Command[0] != "CMD-SHELL":
		return client("Invalid 'healthCheck.command' setting for container '%s': it must begin with CMD or CMD-SHELL.", name)
	case !within(h.Interval, 5, 300):
		return client("Invalid 'healthCheck.interval' setting for container '%s'.", name)
	case !within(h.Timeout, 2, 60):
		return client("Invalid 'healthCheck.timeout' setting for container '%s'.", name)
	case !within(h.Retries, 1, 10):
		return client("Invalid 'healthCheck.retries' setting for container '%s'.", name)
	case !within(h.StartPeriod, 0, 300):
		return client("Invalid 'healthCheck.startPeriod' setting for container '%s'.", name)
	}
	return nil
}

func checkLog(name string, l *types.LogConfiguration) error {
	if l == nil {
		return nil
	}
	if l.LogDriver != types.LogDriverAwslogs {
		return unsupported("log driver " + string(l.LogDriver))
	}
	for _, option := range []string{"awslogs-group", "awslogs-region", "awslogs-stream-prefix"} {
		if l.Options[option] == "" {
			return client("Log driver awslogs requires options: %s (container %s).", option, name)
		}
	}
	return refuse(
		refusal{len(l.SecretOptions) > 0, "logConfiguration.secretOptions"},
		refusal{l.Options["awslogs-multiline-pattern"] != "", "awslogs-multiline-pattern"},
		refusal{l.Options["awslogs-datetime-format"] != "", "awslogs-datetime-format"},
	)
}

func checkDependencies(all []model.ContainerDefinition) error {
	for _, c := range all {
		for _, d := range c.DependsOn {
			i := slices.IndexFunc(all, func(o model.ContainerDefinition) bool { return o.Name == d.Container })
			switch {
			case i < 0 || d.Container == c.Name:
				return client("Invalid 'dependsOn' setting for container '%s': there is no container '%s' to wait for.", c.Name, d.Container)
			case d.Condition == "HEALTHY" && all[i].HealthCheck == nil:
				return client("Invalid 'dependsOn' setting for container '%s': container '%s' has no health check.", c.Name, d.Container)
			case (d.Condition == "COMPLETE" || d.Condition == "SUCCESS") && all[i].Essential:
				return client("Invalid 'dependsOn' setting for container '%s': container '%s' is essential and must not end.", c.Name, d.Container)
			}
		}
	}
	return nil
}

func container(c types.ContainerDefinition) model.ContainerDefinition {
	out := model.ContainerDefinition{
		Name: *c.Name, Image: *c.Image, Essential: deref(c.Essential, true),
		EntryPoint: c.EntryPoint, Command: c.Command,
		WorkingDir: aws.ToString(c.WorkingDirectory), User: aws.ToString(c.User),
		CPUUnits: int(c.Cpu), MemoryMiB: int(aws.ToInt32(c.Memory)), ReadonlyRoot: aws.ToBool(c.ReadonlyRootFilesystem),
		StopTimeout: time.Duration(aws.ToInt32(c.StopTimeout)) * time.Second,
		Environment: keyValues(c.Environment),
	}
	for _, p := range c.PortMappings {
		out.PortMappings = append(out.PortMappings, model.PortMapping{
			Name: aws.ToString(p.Name), ContainerPort: int(*p.ContainerPort), Protocol: string(cmp.Or(p.Protocol, types.TransportProtocolTcp)),
		})
	}
	for _, u := range c.Ulimits {
		out.Ulimits = append(out.Ulimits, model.Ulimit{Name: string(u.Name), Soft: int64(u.SoftLimit), Hard: int64(u.HardLimit)})
	}
	for _, d := range c.DependsOn {
		out.DependsOn = append(out.DependsOn, model.Dependency{Container: aws.ToString(d.ContainerName), Condition: string(d.Condition)})
	}
	if l := c.LogConfiguration; l != nil {
		out.Log = model.LogConfig{Driver: string(l.LogDriver), Options: l.Options}
	}
	if h := c.HealthCheck; h != nil {
		out.HealthCheck = &model.ContainerHealthCheck{
			Command: h.Command, Interval: seconds(h.Interval, 30), Timeout: seconds(h.Timeout, 5),
			StartPeriod: seconds(h.StartPeriod, 0), Retries: int(deref(h.Retries, 3)),
		}
	}
	return out
}

func seconds(v *int32, fallback int32) time.Duration {
	return time.Duration(deref(v, fallback)) * time.Second
}

func keyValues(in []types.KeyValuePair) []model.KeyValue {
	var all []model.KeyValue
	for _, kv := range in {
		all = append(all, model.KeyValue{Name: aws.ToString(kv.Name), Value: aws.ToString(kv.Value)})
	}
	return all
}
