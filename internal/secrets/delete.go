package secrets

import (
	"context"
	"time"

	"neargate/internal/store"
)

// Delete marks a secret for deletion after a window; without one it deletes it
// at once. ResourceNotFoundException, InvalidRequestException.
func (s *Secrets) Delete(ctx context.Context, id string, window time.Duration) (Secret, error) {
	now := s.now()
	if window > 0 {
		return s.change(ctx, id, func(secret *Secret) error {
			secret.DeletedAt, secret.GoneAt = now, now.Add(window)
			return nil
		})
	}
	var deleted Secret
	err := s.update(ctx, func(t store.Records[Secret]) error {
		secret, ok := find(t, id)
		if !ok || secret.gone(now) {
			return errNoSecret()
		}
		deleted = secret
		deleted.DeletedAt, deleted.GoneAt = now, now
		t.Delete(secret.Name)
		return nil
	})
	return deleted, err
}

// Restore takes a deletion back. ResourceNotFoundException.
func (s *Secrets) Restore(ctx context.Context, id string) (Secret, error) {
	return s.changeAny(ctx, id, func(secret *Secret) error {
		secret.DeletedAt, secret.GoneAt = time.Time{}, time.Time{}
		return nil
	})
}

// sweepEvery is how often secrets whose window has passed are taken from the
// disk; nobody finds them from that moment on.
const sweepEvery = time.Hour

// Run deletes secrets whose window has passed, until ctx ends.
func (s *Secrets) Run(ctx context.Context) error {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := s.sweep(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (s *Secrets) sweep(ctx context.Context) error {
	now := s.now()
	return s.update(ctx, func(t store.Records[Secret]) error {
		for _, secret := range t.List("") {
			if secret.gone(now) {
				t.Delete(secret.Name)
			}
		}
		return nil
	})
}
