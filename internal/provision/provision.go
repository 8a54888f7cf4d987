// Package provision fills in the spec of a task that is about to start what its
// definition only refers to, as ECS does it: the values of secrets and
// parameters, the variables of environment files, registries' credentials, and
// where EFS volumes lie. It keeps nothing, and puts no value into an error.
//
// A Provisioner is safe for concurrent use.
package provision

import (
	"context"
	"slices"

	"neargate/internal/model"
)

// values are where secrets and parameters are kept.
type values interface {
	// SecretText returns the text of the version of a secret that an ID, a
	// stage, both or neither names. Errors are Secrets Manager's.
	SecretText(ctx context.Context, secret, version, stage string) (string, error)
	// ParameterText returns the value of a parameter, by name or ARN. Errors are
	// those of the Parameter Store.
	ParameterText(ctx context.Context, parameter string) (string, error)
}

// files are where environment files are kept.
type files interface {
	// File returns the content of an object that has at most limit bytes. Errors
	// are S3's.
	File(ctx context.Context, bucket, key string, limit int64) (string, error)
}

// Provisioner fills in specs.
type Provisioner struct {
	values  values
	files   files
	systems fileSystems
}

// New returns a provisioner that looks up values and file systems and reads files.
func New(values values, files files, systems fileSystems) *Provisioner {
	return &Provisioner{values, files, systems}
}

// Prepare puts what a task's definition refers to into its spec. Each secret and
// each file is read once, so that a task's containers agree about one that
// changes meanwhile. ResourceInitializationError.
func (p *Provisioner) Prepare(ctx context.Context, t model.Task, _ model.TaskDefinition, spec *model.TaskSpec) error {
	if err := p.mount(spec.Volumes); err != nil {
		return err
	}
	look := lookup{p: p, seen: map[string]string{}}
	if a, ok := model.ParseARN(t.ARN); ok {
		look.region = a.Region
	}
	for i := range spec.Containers {
		if err := look.fill(ctx, &spec.Containers[i]); err != nil {
			return err
		}
	}
	return look.route(ctx, spec)
}

// fill fills in one container. Variables of the definition count more than those
// of files, and secrets more than both.
func (l lookup) fill(ctx context.Context, c *model.ContainerSpec) (err error) {
	if c.Credential, err = l.credential(ctx, c.RegistrySecret); err != nil {
		return err
	}
	for _, arn := range c.EnvironmentFiles {
		variables, err := l.environmentFile(ctx, arn)
		if err != nil {
			return err
		}
		for _, kv := range variables {
			if index(c.Env, kv.Name) < 0 { // the first file's, of several
				c.Env = append(c.Env, kv)
			}
		}
	}
	if c.LogSecrets, err = l.values(ctx, c.Log.SecretOptions); err != nil {
		return err
	}
	secrets, err := l.values(ctx, c.Secrets)
	for _, kv := range secrets {
		if i := index(c.Env, kv.Name); i >= 0 {
			c.Env[i] = kv
			continue
		}
		c.Env = append(c.Env, kv)
	}
	return err
}

func (l lookup) values(ctx context.Context, references []model.SecretReference) ([]model.KeyValue, error) {
	var all []model.KeyValue
	for _, ref := range references {
		value, err := l.value(ctx, ref.ValueFrom)
		if err != nil {
			return nil, err
		}
		all = append(all, model.KeyValue{Name: ref.Name, Value: value})
	}
	return all, nil
}

// index returns where a variable stands, or -1.
func index(env []model.KeyValue, name string) int {
	return slices.IndexFunc(env, func(e model.KeyValue) bool { return e.Name == name })
}
