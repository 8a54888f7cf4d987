package secrets

import "neargate/internal/model"

func errNoSecret() error { return errNotFound("Secrets Manager can't find the specified secret.") }

func errNoVersion(id string) error {
	return errNotFound("Secrets Manager can't find the specified secret value for VersionId: " + id)
}

func errNotFound(sentence string) error {
	return model.Errorf(model.NotFound, "ResourceNotFoundException", "%s", sentence)
}

func errDeleted() error {
	return errRequest("You can't perform this operation on the secret because it was marked for deletion.")
}

func errRequest(sentence string) error {
	return model.Errorf(model.Conflict, "InvalidRequestException", "%s", sentence)
}

func errParameter(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidParameterException", format, args...)
}
