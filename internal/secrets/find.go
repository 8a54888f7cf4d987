package secrets

import (
	"context"
	"slices"
	"strings"

	"neargate/internal/model"
	"neargate/internal/store"
)

// suffix is the length of what ends a secret's ARN: a dash and random characters.
const suffix = 7

// reader is a table, as it is or within a transaction.
type reader interface {
	Get(key string) (Secret, bool)
}

// find returns the secret that id names.
func find(table reader, id string) (Secret, bool) {
	if !strings.HasPrefix(id, "arn:") {
		return table.Get(id)
	}
	a, ok := model.ParseARN(id)
	name, isSecret := strings.CutPrefix(a.Resource, "secret:")
	if !ok || !isSecret {
		return Secret{}, false
	}
	if len(name) > suffix {
		if secret, ok := table.Get(name[:len(name)-suffix]); ok && secret.ARN == id {
			return secret, true
		}
	}
	secret, ok := table.Get(name)
	return secret, ok && secret.ARN[:len(secret.ARN)-suffix] == id
}

// update is a transaction over the secrets.
func (s *Secrets) update(ctx context.Context, fn func(store.Records[Secret]) error) error {
	return s.db.Update(ctx, func(tx *store.Tx) error { return fn(s.table.In(tx)) })
}

// change is a transaction that changes a secret that is not marked for
// deletion. ResourceNotFoundException, InvalidRequestException.
func (s *Secrets) change(ctx context.Context, id string, change func(*Secret) error) (Secret, error) {
	return s.changeAny(ctx, id, func(secret *Secret) error {
		if !secret.DeletedAt.IsZero() {
			return errDeleted()
		}
		return change(secret)
	})
}

// changeAny is change of any secret. ResourceNotFoundException.
func (s *Secrets) changeAny(ctx context.Context, id string, change func(*Secret) error) (Secret, error) {
	var next Secret
	err := s.update(ctx, func(t store.Records[Secret]) error {
		secret, ok := find(t, id)
		if !ok || secret.gone(s.now()) {
			return errNoSecret()
		}
		next = secret.withVersions()
		if err := change(&next); err != nil {
			return err
		}
		t.Put(next.Name, next)
		return nil
	})
	return next, err
}

// version returns the version with an ID, a stage or both; with neither the
// current one. ResourceNotFoundException, InvalidRequestException.
func (s Secret) version(id, stage string) (Version, error) {
	if id == "" && stage == "" {
		stage = Current
	}
	for _, v := range s.Versions {
		staged := slices.Contains(v.Stages, stage)
		switch {
		case id == "" && staged, id == v.ID && (stage == "" || staged):
			return v, nil
		case id == v.ID:
			return v, errRequest("You provided a VersionStage that is not associated to the provided VersionId.")
		}
	}
	if id != "" {
		return Version{}, errNoVersion(id)
	}
	return Version{}, errNotFound("Secrets Manager can't find the specified secret value for staging label: " + stage)
}

// index returns where a version stands, or -1.
func (s Secret) index(id string) int {
	return slices.IndexFunc(s.Versions, func(v Version) bool { return v.ID == id })
}

// holder returns which version has a staging label, or -1.
func (s Secret) holder(stage string) int {
	return slices.IndexFunc(s.Versions, func(v Version) bool { return slices.Contains(v.Stages, stage) })
}
