package provision

import (
	"context"
	"errors"
	"strings"

	"neargate/internal/model"
)

// maxFile is the largest environment file, in bytes. ECS names no limit; a
// program can be given 2 MiB of arguments and variables in all.
const maxFile = 1 << 20

// environmentFile returns the variables of an S3 object.
// ResourceInitializationError.
func (l lookup) environmentFile(ctx context.Context, arn string) ([]model.KeyValue, error) {
	text, ok := l.seen[arn]
	if !ok {
		a, _ := model.ParseARN(arn) // checked when it was registered
		bucket, key, _ := strings.Cut(a.Resource, "/")
		var err error
		text, err = l.p.files.File(ctx, bucket, key, maxFile)
		if e, ok := errors.AsType[*model.Error](err); ok {
			return nil, model.Errorf(model.Invalid, "ResourceInitializationError",
				"failed to download env files: file download command: non empty error stream: %s: %s", e.Code, e.Msg)
		}
		if err != nil {
			return nil, err
		}
		l.seen[arn] = text
	}
	return variables(text), nil
}

// variables reads an environment file as the agent of ECS does: a line is
// NAME=VALUE, nothing is trimmed or unquoted, "#" begins a comment. Lines without
// a name or a value are left out, and so are those whose value begins with "=".
// The last line of a name counts. [aws/amazon-ecs-agent, taskresource/envFiles].
func variables(text string) []model.KeyValue {
	var all []model.KeyValue
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		name, value, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") || name == "" || value == "" || value[0] == '=' {
			continue
		}
		kv := model.KeyValue{Name: name, Value: value}
		if i := index(all, name); i >= 0 {
			all[i] = kv
			continue
		}
		all = append(all, kv)
	}
	return all
}
