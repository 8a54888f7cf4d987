// Package secretsmanager is the face of secrets: the API of AWS Secrets Manager
// over package secrets. It keeps nothing of its own, and no value of a secret
// is in an error.
package secretsmanager

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/secrets"
)

type service struct {
	secrets *secrets.Secrets
}

// New returns the face of secrets.
func New(s *secrets.Secrets) wire.Service {
	f := &service{s}
	return wire.Service{
		SigningName:  "secretsmanager",
		TargetPrefix: "secretsmanager",
		Style:        wire.UpperCamel,
		Refused:      refused(),
		Refuse:       wire.RefuseWith(invalidParameter),
		Kept:         kept(),
		Operations: []wire.Operation{
			wire.Op("BatchGetSecretValue", f.batchGetSecretValue),
			wire.Op("CreateSecret", f.createSecret),
			wire.Op("DeleteResourcePolicy", f.deleteResourcePolicy),
			wire.Op("DeleteSecret", f.deleteSecret),
			wire.Op("DescribeSecret", f.describeSecret),
			wire.Op("GetRandomPassword", f.getRandomPassword),
			wire.Op("GetResourcePolicy", f.getResourcePolicy),
			wire.Op("GetSecretValue", f.getSecretValue),
			wire.Op("ListSecretVersionIds", f.listSecretVersionIDs),
			wire.Op("ListSecrets", f.listSecrets),
			wire.Op("PutResourcePolicy", f.putResourcePolicy),
			wire.Op("PutSecretValue", f.putSecretValue),
			wire.Op("RestoreSecret", f.restoreSecret),
			wire.Op("TagResource", f.tagResource),
			wire.Op("UntagResource", f.untagResource),
			wire.Op("UpdateSecret", f.updateSecret),
			wire.Op("UpdateSecretVersionStage", f.updateSecretVersionStage),
		},
	}
}

const (
	invalidParameter = "InvalidParameterException"
	validation       = "ValidationException"
)

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, invalidParameter, format, args...)
}

// secretID returns the name or ARN that a call must give. ValidationException.
func secretID(v *string) (string, error) {
	var c wire.Checks
	id := c.Text("secretId", v, 1, 2048)
	return id, c.Err(validation)
}

// moment returns nil for the zero time, as an answer leaves it out.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// text returns nil for an empty text, as an answer leaves it out.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func tagsOf(tags []model.Tag) []types.Tag {
	var all []types.Tag
	for _, t := range tags {
		all = append(all, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return all
}

// maxTags is how many tags a resource may have.
const maxTags = 50

// readTags reads tags. InvalidParameterException.
func readTags(in []types.Tag) ([]model.Tag, error) {
	if len(in) > maxTags {
		return nil, invalid("Tags must have at most %d members.", maxTags)
	}
	var all []model.Tag
	for _, t := range in {
		if n := len(aws.ToString(t.Key)); n == 0 || n > 128 || len(aws.ToString(t.Value)) > 256 {
			return nil, invalid("A tag key must have 1 to 128 characters, and a tag value at most 256.")
		}
		all = append(all, model.Tag{Key: *t.Key, Value: aws.ToString(t.Value)})
	}
	return all, nil
}
