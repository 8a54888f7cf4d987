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
	if err == nil {
		p.secrets, err = secrets.Open(p.db, secrets.Config{Place: p.cfg.Place, Key: key})
	}
	return err
}

// secretTexts is what tasks are told of secrets: as ECS reads SecretString
// alone, a binary value is an empty text.
type secretTexts struct{ *secrets.Secrets }

// SecretText returns the text of a version of a secret.
func (s secretTexts) SecretText(ctx context.Context, secret, version, stage string) (string, error) {
	v, err := s.Value(ctx, secret, version, stage)
	if err != nil || v.Version.Binary {
		return "", err
	}
	return string(v.Data), nil
}
