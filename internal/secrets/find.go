package secrets

import (
	"slices"
	"strings"

	"neargate/internal/model"
)

// suffix is the dash and the random characters that end a secret's ARN.
const suffix = 7

// find returns the secret that id names.
func (s *Secrets) find(id string) (Secret, bool) {
	if !strings.HasPrefix(id, "arn:") {
		return s.table.Get(id)
	}
	a, ok := model.ParseARN(id)
	name, isSecret := strings.CutPrefix(a.Resource, "secret:")
	if !ok || !isSecret {
		return Secret{}, false
	}
	if len(name) > suffix {
		if secret, ok := s.table.Get(name[:len(name)-suffix]); ok && secret.ARN == id {
			return secret, true
		}
	}
	secret, ok := s.table.Get(name)
	return secret, ok && secret.ARN[:len(secret.ARN)-suffix] == id
}

// version returns the version with an ID, a stage or both; with neither the
// current one. ResourceNotFoundException, InvalidRequestException.
func (s Secret) version(id, stage string) (Version, error) {
	if id == "" && stage == "" {
		stage = Current
	}
	for _, v := range s.Versions {
		switch {
		case id == "" && slices.Contains(v.Stages, stage), id == v.ID && (stage == "" || slices.Contains(v.Stages, stage)):
			return v, nil
		case id == v.ID:
			return v, model.Errorf(model.Invalid, "InvalidRequestException", "You provided a VersionStage that is not associated to the provided VersionId.")
		}
	}
	if id != "" {
		return Version{}, errNotFound("Secrets Manager can't find the specified secret value for VersionId: " + id)
	}
	return Version{}, errNotFound("Secrets Manager can't find the specified secret value for staging label: " + stage)
}

func errNoSecret() error { return errNotFound("Secrets Manager can't find the specified secret.") }

func errNotFound(sentence string) error {
	return model.Errorf(model.NotFound, "ResourceNotFoundException", "%s", sentence)
}
