package secrets

import (
	"context"
	"slices"
)

// move takes a staging label from the version that has it to another. What loses
// AWSCURRENT becomes AWSPREVIOUS. [API_UpdateSecretVersionStage].
func (s *Secret) move(stage string, to int) {
	from := s.holder(stage)
	if from == to {
		return
	}
	if from >= 0 {
		s.take(stage, from)
	}
	s.Versions[to].Stages = append(s.Versions[to].Stages, stage)
	if stage == Current && from >= 0 {
		s.move(Previous, from)
	}
}

func (s *Secret) take(stage string, from int) {
	s.Versions[from].Stages = slices.DeleteFunc(s.Versions[from].Stages, func(x string) bool { return x == stage })
}

// MoveStage takes a staging label from one version ("": it has none yet) to
// another ("": none shall have it). ResourceNotFoundException,
// InvalidParameterException, InvalidRequestException.
func (s *Secrets) MoveStage(ctx context.Context, id, stage, from, to string) (Secret, error) {
	return s.change(ctx, id, func(secret *Secret) error {
		for _, version := range []string{from, to} {
			if version != "" && secret.index(version) < 0 {
				return errNoVersion(version)
			}
		}
		holder := secret.holder(stage)
		switch {
		case from == "" && to == "":
			return errParameter("You must specify either a value for MoveToVersionId, RemoveFromVersionId, or both.")
		case from == "" && holder >= 0 && secret.Versions[holder].ID != to:
			return errParameter("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.",
				stage, secret.Versions[holder].ID)
		case from != "" && holder != secret.index(from):
			return errParameter("The staging label %s is not currently attached to version %s.", stage, from)
		case to == "" && stage == Current:
			return errParameter("You can only move staging label %s to a different secret version. It can't be completely removed.", Current)
		case to == "":
			secret.take(stage, holder)
		default:
			secret.move(stage, secret.index(to))
		}
		secret.ChangedAt = s.now()
		return nil
	})
}
