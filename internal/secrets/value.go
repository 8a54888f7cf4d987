package secrets

import (
	"context"
	"time"

	"neargate/internal/model"
)

// Value is the value of one version of a secret.
type Value struct {
	Secret  Secret
	Version Version
	Data    []byte
}

// Value returns the value of a secret, which id names as for Secret. version and
// stage choose the version; with neither it is AWSCURRENT.
// ResourceNotFoundException, InvalidRequestException, DecryptionFailure.
func (s *Secrets) Value(ctx context.Context, id, version, stage string) (Value, error) {
	secret, err := s.Secret(id)
	if err != nil {
		return Value{}, err
	}
	if !secret.DeletedAt.IsZero() {
		return Value{}, errDeleted()
	}
	v, err := secret.version(version, stage)
	if err != nil {
		return Value{}, err
	}
	data, ok := s.cfg.Key.Open(v.Sealed, secret.place(v.ID))
	if !ok {
		return Value{}, model.Errorf(model.Invalid, "DecryptionFailure",
			"Secrets Manager can't decrypt the protected secret text using the provided KMS key.")
	}
	return Value{secret, v, data}, s.accessed(ctx, secret, v)
}

// accessed notes that a version was read today. AWS notes the day alone, so one
// write a day is enough.
func (s *Secrets) accessed(ctx context.Context, secret Secret, v Version) error {
	today := s.now().UTC().Truncate(24 * time.Hour)
	if v.AccessedAt.Equal(today) && secret.AccessedAt.Equal(today) {
		return nil
	}
	_, err := s.changeAny(ctx, secret.ARN, func(secret *Secret) error {
		secret.AccessedAt = today
		if i := secret.index(v.ID); i >= 0 {
			secret.Versions[i].AccessedAt = today
		}
		return nil
	})
	if model.KindOf(err) == model.NotFound { // deleted meanwhile
		return nil
	}
	return err
}
