package secretsmanager

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"neargate/internal/aws/wire"
	"neargate/internal/secrets"
)

// putSecretValue: codes ValidationException, InvalidParameterException,
// ResourceNotFoundException, ResourceExistsException, InvalidRequestException,
// LimitExceededException.
func (s *service) putSecretValue(ctx context.Context, in *sdk.PutSecretValueInput) (*sdk.PutSecretValueOutput, error) {
	id, err := secretID(in.SecretId)
	if err != nil {
		return nil, err
	}
	value, err := newValue(in.SecretString, in.SecretBinary, in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, invalid("You must provide either SecretString or SecretBinary.")
	}
	var c wire.Checks
	if len(in.VersionStages) > 20 {
		c.Fail("versionStages", "'…'", "Member must have length less than or equal to 20")
	}
	for _, stage := range in.VersionStages {
		c.Text("versionStages", &stage, 1, 256)
	}
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	value.Stages = in.VersionStages
	secret, version, err := s.secrets.Put(ctx, id, *value)
	if err != nil {
		return nil, err
	}
	return &sdk.PutSecretValueOutput{
		ARN: aws.String(secret.ARN), Name: aws.String(secret.Name), VersionId: aws.String(version.ID), VersionStages: version.Stages,
	}, nil
}

// updateSecret: codes as of putSecretValue.
func (s *service) updateSecret(ctx context.Context, in *sdk.UpdateSecretInput) (*sdk.UpdateSecretOutput, error) {
	id, err := secretID(in.SecretId)
	if err != nil {
		return nil, err
	}
	value, err := newValue(in.SecretString, in.SecretBinary, in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	secret, err := s.secrets.Update(ctx, id, secrets.Changes{Description: in.Description, KMSKeyID: in.KmsKeyId, Value: value})
	if err != nil {
		return nil, err
	}
	out := &sdk.UpdateSecretOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name)}
	if value != nil {
		out.VersionId = aws.String(secret.Versions[len(secret.Versions)-1].ID)
	}
	return out, nil
}
