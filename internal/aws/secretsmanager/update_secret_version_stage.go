package secretsmanager

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"neargate/internal/aws/wire"
)

// updateSecretVersionStage: codes ValidationException, InvalidParameterException,
// ResourceNotFoundException, InvalidRequestException.
func (s *service) updateSecretVersionStage(ctx context.Context, in *sdk.UpdateSecretVersionStageInput) (*sdk.UpdateSecretVersionStageOutput, error) {
	var c wire.Checks
	id := c.Text("secretId", in.SecretId, 1, 2048)
	stage := c.Text("versionStage", in.VersionStage, 1, 256)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	secret, err := s.secrets.MoveStage(ctx, id, stage, aws.ToString(in.RemoveFromVersionId), aws.ToString(in.MoveToVersionId))
	if err != nil {
		return nil, err
	}
	return &sdk.UpdateSecretVersionStageOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name)}, nil
}
