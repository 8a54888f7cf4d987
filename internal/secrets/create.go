package secrets

import (
	"context"
	"fmt"

	"neargate/internal/model"
	"neargate/internal/random"
)

// Create keeps a new secret with its first value. ResourceExistsException.
func (s *Secrets) Create(ctx context.Context, name string, value []byte) (Secret, error) {
	now, id := s.now(), random.UUID()
	return s.table.Update(ctx, name, func(cur Secret, exists bool) (Secret, error) {
		if exists {
			return cur, model.Errorf(model.Conflict, "ResourceExistsException", "The operation failed because the secret %s already exists.", name)
		}
		arn := s.cfg.Place.SecretARN(name, random.Letters(suffix-1))
		return Secret{Name: name, ARN: arn, CreatedAt: now, Versions: []Version{{
			ID: id, Stages: []string{Current}, CreatedAt: now, Sealed: s.cfg.Key.seal(value, fmt.Sprint(arn, "/", id)),
		}}}, nil
	})
}
