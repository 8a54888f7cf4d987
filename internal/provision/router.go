package provision

import (
	"context"
	"errors"
	"slices"
	"strings"

	"neargate/internal/decide/firelens"
	"neargate/internal/model"
)

// maxConfig is the largest configuration of a log router that is read from S3.
const maxConfig = 1 << 20

// route gives a task's log router the values of the others' secret options, by
// variables, and its configuration from S3. ResourceInitializationError.
func (l lookup) route(ctx context.Context, spec *model.TaskSpec) error {
	if spec.Router == nil {
		return nil
	}
	i := slices.IndexFunc(spec.Containers, func(c model.ContainerSpec) bool { return c.Name == spec.Router.Container })
	router := &spec.Containers[i]
	for n, c := range spec.Containers {
		if c.LogTag == "" {
			continue
		}
		for _, secret := range c.LogSecrets {
			router.Env = append(router.Env, model.KeyValue{Name: firelens.SecretVariable(secret.Name, n), Value: secret.Value})
		}
	}
	if spec.Router.ExternalConfig == "" {
		return nil
	}
	a, _ := model.ParseARN(spec.Router.ExternalConfig) // checked when it was registered
	bucket, key, _ := strings.Cut(a.Resource, "/")
	text, err := l.p.files.File(ctx, bucket, key, maxConfig)
	if e, ok := errors.AsType[*model.Error](err); ok {
		return model.Errorf(model.Invalid, "ResourceInitializationError",
			"unable to download the firelens config file %s: %s: %s", spec.Router.ExternalConfig, e.Code, e.Msg)
	}
	router.Files = append(router.Files, model.File{Path: spec.Router.ExternalPath, Text: text})
	return err
}
