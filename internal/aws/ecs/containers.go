package ecs

import (
	"cmp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	catalogue "neargate/internal/ecs"
	"neargate/internal/model"
)

// readContainers reads container definitions. ClientException.
func readContainers(in []types.ContainerDefinition) ([]model.ContainerDefinition, error) {
	all := make([]model.ContainerDefinition, len(in))
	for i, c := range in {
		all[i] = readContainer(c)
		if err := checkPortRanges(c); err != nil {
			return nil, err
		}
		if c.StopTimeout == nil {
			continue
		}
		var err error
		if all[i].StopTimeout, err = catalogue.StopTimeout(all[i].Name, int(*c.StopTimeout)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func readContainer(c types.ContainerDefinition) model.ContainerDefinition {
	out := model.ContainerDefinition{
		Name: aws.ToString(c.Name), Image: aws.ToString(c.Image), Essential: deref(c.Essential, true),
		EntryPoint: given(c.EntryPoint), Command: given(c.Command),
		WorkingDir: aws.ToString(c.WorkingDirectory), User: aws.ToString(c.User),
		CPUUnits: int(c.Cpu), MemoryMiB: int(aws.ToInt32(c.Memory)), MemoryReservationMiB: int(aws.ToInt32(c.MemoryReservation)),
		ReadonlyRoot: aws.ToBool(c.ReadonlyRootFilesystem), Environment: keyValues(c.Environment),
		LooseVersion: c.VersionConsistency == types.VersionConsistencyDisabled,
	}
	if c.RepositoryCredentials != nil {
		out.RegistrySecret = aws.ToString(c.RepositoryCredentials.CredentialsParameter)
	}
	out.EnvironmentFiles, out.Secrets = files(c.EnvironmentFiles), references(c.Secrets)
	out.MountPoints, out.VolumesFrom = readMounts(c)
	out.Interactive, out.Terminal, out.DockerLabels = aws.ToBool(c.Interactive), aws.ToBool(c.PseudoTerminal), c.DockerLabels
	out.Restart = readRestart(c.RestartPolicy)
	if c.StartTimeout != nil {
		out.StartTimeout = *seconds(c.StartTimeout)
	}
	for _, s := range c.SystemControls {
		out.SystemControls = append(out.SystemControls, model.KeyValue{Name: aws.ToString(s.Namespace), Value: aws.ToString(s.Value)})
	}
	for _, p := range c.PortMappings {
		if p.ContainerPortRange != nil {
			continue // any port of a task is reached; checkPortRanges has looked at it
		}
		out.PortMappings = append(out.PortMappings, model.PortMapping{
			Name: aws.ToString(p.Name), ContainerPort: int(aws.ToInt32(p.ContainerPort)), HostPort: int(aws.ToInt32(p.HostPort)), AppProtocol: string(p.AppProtocol),
			Protocol: string(cmp.Or(p.Protocol, types.TransportProtocolTcp)),
		})
	}
	for _, u := range c.Ulimits {
		out.Ulimits = append(out.Ulimits, model.Ulimit{Name: string(u.Name), Soft: int64(u.SoftLimit), Hard: int64(u.HardLimit)})
	}
	for _, d := range c.DependsOn {
		out.DependsOn = append(out.DependsOn, model.Dependency{Container: aws.ToString(d.ContainerName), Condition: string(d.Condition)})
	}
	if l := c.LogConfiguration; l != nil {
		out.Log = model.LogConfig{Driver: string(l.LogDriver), Options: l.Options, SecretOptions: references(l.SecretOptions)}
	}
	if f := c.FirelensConfiguration; f != nil {
		out.FireLens = &model.FireLens{Type: string(f.Type), Options: f.Options}
	}
	if h := c.HealthCheck; h != nil {
		out.HealthCheck = &model.ContainerHealthCheck{
			Command: h.Command, Interval: *seconds(new(deref(h.Interval, 30))), Timeout: *seconds(new(deref(h.Timeout, 5))),
			StartPeriod: *seconds(new(deref(h.StartPeriod, 0))), Retries: int(deref(h.Retries, 3)),
		}
	}
	if l := c.LinuxParameters; l != nil {
		out.Init = aws.ToBool(l.InitProcessEnabled)
		if l.Capabilities != nil {
			out.AddCapabilities, out.DropCapabilities = l.Capabilities.Add, l.Capabilities.Drop
		}
	}
	return out
}

func references(in []types.Secret) []model.SecretReference {
	var all []model.SecretReference
	for _, s := range in {
		all = append(all, model.SecretReference{Name: aws.ToString(s.Name), ValueFrom: aws.ToString(s.ValueFrom)})
	}
	return all
}

// files returns the ARNs of environment files: S3 objects are the only kind.
func files(in []types.EnvironmentFile) []string {
	var all []string
	for _, f := range in {
		all = append(all, aws.ToString(f.Value))
	}
	return all
}

// given returns nil for an empty list: an empty command is none, as the image's
// counts then.
func given(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

func keyValues(in []types.KeyValuePair) []model.KeyValue {
	var all []model.KeyValue
	for _, kv := range in {
		all = append(all, model.KeyValue{Name: aws.ToString(kv.Name), Value: aws.ToString(kv.Value)})
	}
	return all
}
