package app

import (
	"context"
	"path/filepath"

	"neargate/internal/secrets"
)

// secretsKey is the file with the key that encrypts secrets in the state.
const secretsKey = "secrets.key"

func (p *parts) openSecrets() error {
	key, err := secrets.OpenKey(filepath.Join(p.cfg.Data, secretsKey))
	if err != nil {
		return err
	}
	cfg := secrets.Config{Place: p.cfg.Place, Key: key}
	if p.secrets, err = secrets.Open(p.db, cfg); err != nil {
		return err
	}
	p.parameters, err = secrets.OpenParameters(p.db, cfg)
	return err
}

// values is what tasks are told of secrets and parameters.
type values struct {
	secrets    *secrets.Secrets
	parameters *secrets.Parameters
}

// SecretText returns the text of a version of a secret: as ECS reads
// SecretString alone, that of a binary value is empty.
func (v values) SecretText(ctx context.Context, secret, version, stage string) (string, error) {
	found, err := v.secrets.Value(ctx, secret, version, stage)
	if err != nil || found.Version.Binary {
		return "", err
	}
	return string(found.Data), nil
}

// ParameterText returns the value of a parameter.
func (v values) ParameterText(_ context.Context, parameter string) (string, error) {
	n, err := v.parameters.Get(parameter)
	if err != nil {
		return "", err
	}
	return v.parameters.Value(n)
}
