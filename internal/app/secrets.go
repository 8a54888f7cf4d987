package app

import (
	"bytes"
	"context"
	"io"
	"path/filepath"

	"neargate/internal/model"
	"neargate/internal/objects"
	"neargate/internal/secrets"
)

// secretsKey is the file with the key that encrypts secrets, parameters, objects
// and private keys.
const secretsKey = "secrets.key"

func (p *parts) openSecrets() (err error) {
	cfg := secrets.Config{Place: p.cfg.Place, Key: p.key}
	if p.secrets, err = secrets.Open(p.db, cfg); err != nil {
		return err
	}
	if p.parameters, err = secrets.OpenParameters(p.db, cfg); err != nil {
		return err
	}
	p.objects, err = objects.Open(p.db, filepath.Join(p.cfg.Data, "objects"), p.key)
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

// files is what environment files are read from.
type files struct{ objects *objects.Objects }

// File returns the content of an object.
func (f files) File(_ context.Context, bucket, key string, limit int64) (string, error) {
	object, err := f.objects.Object(bucket, key)
	if err != nil {
		return "", err
	}
	if object.Size > limit {
		return "", model.Errorf(model.TooLarge, "EntityTooLarge", "The object %s of %s has %d bytes; at most %d are read.", key, bucket, object.Size, limit)
	}
	content, err := f.objects.Read(object, 0, object.Size)
	if err != nil {
		return "", err
	}
	defer func() { _ = content.Close() }()
	b, err := io.ReadAll(content)
	return string(b), err
}

// logBuckets are where the logs of load balancers go.
type logBuckets struct{ *parts }

// Put keeps an object.
func (l logBuckets) Put(ctx context.Context, bucket, key string, content []byte) error {
	_, err := l.objects.Put(ctx, objects.Object{
		Bucket: bucket, Key: key, Headers: map[string]string{"Content-Type": "application/octet-stream"},
	}, bytes.NewReader(content), nil, nil)
	return err
}
