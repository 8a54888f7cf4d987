package secrets

import (
	"context"

	"neargate/internal/model"
)

// Tag adds tags to a secret; a key that is there gets the new value.
// ResourceNotFoundException, InvalidRequestException.
func (s *Secrets) Tag(ctx context.Context, id string, tags []model.Tag) error {
	_, err := s.change(ctx, id, func(secret *Secret) error {
		secret.Tags = model.MergeTags(secret.Tags, tags)
		return nil
	})
	return err
}

// Untag takes tags away. ResourceNotFoundException, InvalidRequestException.
func (s *Secrets) Untag(ctx context.Context, id string, keys []string) error {
	_, err := s.change(ctx, id, func(secret *Secret) error {
		secret.Tags = model.RemoveTags(secret.Tags, keys)
		return nil
	})
	return err
}

// SetPolicy keeps a resource policy, a JSON document; "" takes it away.
// ResourceNotFoundException, InvalidRequestException.
func (s *Secrets) SetPolicy(ctx context.Context, id, policy string) (Secret, error) {
	return s.change(ctx, id, func(secret *Secret) error {
		secret.Policy = policy
		return nil
	})
}
