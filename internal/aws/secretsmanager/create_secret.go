package secretsmanager

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/secrets"
)

// createSecret: codes ValidationException, InvalidParameterException,
// ResourceExistsException, InvalidRequestException.
func (s *service) createSecret(ctx context.Context, in *sdk.CreateSecretInput) (*sdk.CreateSecretOutput, error) {
	name, err := secretName(in.Name)
	if err != nil {
		return nil, err
	}
	value, err := newValue(in.SecretString, in.SecretBinary, in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	secret, err := s.secrets.Create(ctx, secrets.Secret{
		Name: name, Description: aws.ToString(in.Description), KMSKeyID: aws.ToString(in.KmsKeyId), Tags: tags,
	}, value)
	if err != nil {
		return nil, err
	}
	out := &sdk.CreateSecretOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name)}
	if n := len(secret.Versions); n > 0 {
		out.VersionId = aws.String(secret.Versions[n-1].ID)
	}
	return out, nil
}

func secretName(v *string) (string, error) {
	var c wire.Checks
	name := c.Text("name", v, 1, 512)
	if err := c.Err(validation); err != nil {
		return "", err
	}
	valid := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-/_+=.@!", r)
	}
	if strings.TrimFunc(name, valid) != "" {
		return "", model.Errorf(model.Invalid, validation, "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	return name, nil
}

// maxValueBytes is the largest value of a secret.
const maxValueBytes = 65536

// newValue reads the value of a call, nil for none. InvalidParameterException,
// ValidationException.
func newValue(s *string, binary []byte, token *string) (*secrets.NewValue, error) {
	if s != nil && binary != nil {
		return nil, invalid("You can't specify both a binary secret value and a string secret value in the same secret.")
	}
	var c wire.Checks
	v := secrets.NewValue{ID: c.OptionalText("clientRequestToken", token, 32, 64), Data: binary, Binary: true}
	member := "secretBinary"
	if s != nil {
		v.Data, v.Binary, member = []byte(*s), false, "secretString"
	}
	if len(v.Data) > maxValueBytes {
		c.Fail(member, "'*****'", "Member must have length less than or equal to %d", maxValueBytes)
	}
	if err := c.Err(validation); err != nil || s == nil && binary == nil {
		return nil, err
	}
	return &v, nil
}
