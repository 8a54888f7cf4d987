package secrets

import (
	"bytes"
	"context"
	"slices"

	"neargate/internal/model"
	"neargate/internal/random"
	"neargate/internal/store"
)

// NewValue is a value that becomes a version.
type NewValue struct {
	ID     string // of the version, the caller's idempotency token; "" makes one
	Stages []string
	Data   []byte
	Binary bool
}

// maxVersions is how many versions a secret keeps. Only deprecated ones go.
const maxVersions = 100

// Create keeps a new secret, with its first value if there is one; the same
// call again returns the same secret. ResourceExistsException,
// InvalidRequestException.
func (s *Secrets) Create(ctx context.Context, secret Secret, value *NewValue) (Secret, error) {
	now := s.now()
	err := s.update(ctx, func(t store.Records[Secret]) error {
		cur, exists := t.Get(secret.Name)
		if exists && !cur.gone(now) {
			if !cur.DeletedAt.IsZero() {
				return errRequest("You can't create this secret because a secret with this name is already scheduled for deletion.")
			}
			if value == nil || !s.same(cur, *value) {
				return model.Errorf(model.Conflict, "ResourceExistsException", "The operation failed because the secret %s already exists.", secret.Name)
			}
			secret = cur
			return nil
		}
		secret.ARN = s.cfg.Place.SecretARN(secret.Name, random.Letters(suffix-1))
		secret.CreatedAt, secret.ChangedAt = now, now
		if value != nil {
			if err := s.add(&secret, *value); err != nil {
				return err
			}
		}
		t.Put(secret.Name, secret)
		return nil
	})
	return secret, err
}

// Put adds a version. Without stages it becomes AWSCURRENT; the same call again
// returns the same version. ResourceNotFoundException, ResourceExistsException,
// InvalidRequestException.
func (s *Secrets) Put(ctx context.Context, id string, value NewValue) (Secret, Version, error) {
	if value.ID == "" {
		value.ID = random.UUID()
	}
	secret, err := s.change(ctx, id, func(secret *Secret) error { return s.add(secret, value) })
	if err != nil {
		return Secret{}, Version{}, err
	}
	return secret, secret.Versions[secret.index(value.ID)], nil
}

// Changes are what Update changes; nil leaves a member as it is.
type Changes struct {
	Description, KMSKeyID *string
	Value                 *NewValue
}

// Update changes a secret; a value becomes its current version.
// ResourceNotFoundException, ResourceExistsException, InvalidRequestException.
func (s *Secrets) Update(ctx context.Context, id string, c Changes) (Secret, error) {
	return s.change(ctx, id, func(secret *Secret) error {
		if c.Description != nil {
			secret.Description = *c.Description
		}
		if c.KMSKeyID != nil {
			secret.KMSKeyID = *c.KMSKeyID
		}
		secret.ChangedAt = s.now()
		if c.Value == nil {
			return nil
		}
		return s.add(secret, *c.Value)
	})
}

// same reports whether a secret has a version with the ID and the data of value.
func (s *Secrets) same(secret Secret, value NewValue) bool {
	i := secret.index(value.ID)
	if i < 0 {
		return false
	}
	v := secret.Versions[i]
	data, ok := s.cfg.Key.Open(v.Sealed, secret.place(v.ID))
	return ok && v.Binary == value.Binary && bytes.Equal(data, value.Data)
}

// add adds a version to a secret and moves its stages to it.
func (s *Secrets) add(secret *Secret, value NewValue) error {
	if value.ID == "" {
		value.ID = random.UUID()
	}
	if secret.index(value.ID) >= 0 {
		if s.same(*secret, value) {
			return nil
		}
		return model.Errorf(model.Conflict, "ResourceExistsException", "You can't modify an existing version, you can only create a new version.")
	}
	now := s.now()
	secret.Versions = append(secret.Versions, Version{
		ID: value.ID, Binary: value.Binary, CreatedAt: now, Sealed: s.cfg.Key.Seal(value.Data, secret.place(value.ID)),
	})
	stages := value.Stages
	if len(stages) == 0 {
		stages = []string{Current}
	}
	for _, stage := range stages {
		secret.move(stage, len(secret.Versions)-1)
	}
	secret.ChangedAt = now
	for len(secret.Versions) > maxVersions {
		i := slices.IndexFunc(secret.Versions, func(v Version) bool { return len(v.Stages) == 0 })
		if i < 0 {
			return model.Errorf(model.Throttled, "LimitExceededException", "You have exceeded the maximum number of versions (%d) of a secret.", maxVersions)
		}
		secret.Versions = slices.Delete(secret.Versions, i, i+1)
	}
	return nil
}
