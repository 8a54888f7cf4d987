// Package provision fills in the spec of a task that is about to start what its
// definition only refers to, as ECS does it: the values of secrets and
// parameters. It keeps nothing, and puts no value into an error.
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

// Provisioner fills in specs.
type Provisioner struct {
	values values
}

// New returns a provisioner that looks values up.
func New(values values) *Provisioner { return &Provisioner{values} }

// Prepare puts what a task's definition refers to into its spec. Each secret is
// read once, so that a task's containers agree about one that changes
// meanwhile. ResourceInitializationError.
func (p *Provisioner) Prepare(ctx context.Context, _ model.Task, _ model.TaskDefinition, spec *model.TaskSpec) error {
	look := lookup{p, map[string]string{}}
	for i := range spec.Containers {
		c := &spec.Containers[i]
		var err error
		if c.Credential, err = look.credential(ctx, c.RegistrySecret); err != nil {
			return err
		}
		for _, ref := range c.Secrets {
			value, err := look.value(ctx, ref.ValueFrom)
			if err != nil {
				return err
			}
			c.Env = set(c.Env, model.KeyValue{Name: ref.Name, Value: value})
		}
	}
	return nil
}

// set sets a variable, whatever it was.
func set(env []model.KeyValue, kv model.KeyValue) []model.KeyValue {
	i := slices.IndexFunc(env, func(e model.KeyValue) bool { return e.Name == kv.Name })
	if i < 0 {
		return append(env, kv)
	}
	env[i] = kv
	return env
}
