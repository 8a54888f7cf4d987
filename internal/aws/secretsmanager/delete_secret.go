package secretsmanager

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"neargate/internal/model"
)

const day = 24 * time.Hour

// deleteSecret: codes ValidationException, InvalidParameterException,
// ResourceNotFoundException, InvalidRequestException. A secret that is not there
// is deleted by force without an error. [API_DeleteSecret].
func (s *service) deleteSecret(ctx context.Context, in *sdk.DeleteSecretInput) (*sdk.DeleteSecretOutput, error) {
	id, err := secretID(in.SecretId)
	if err != nil {
		return nil, err
	}
	force := aws.ToBool(in.ForceDeleteWithoutRecovery)
	window := 30 * day
	if days := in.RecoveryWindowInDays; days != nil {
		if force {
			return nil, invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
		}
		if *days < 7 || *days > 30 {
			return nil, invalid("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
		}
		window = time.Duration(*days) * day
	}
	if force {
		window = 0
	}
	secret, err := s.secrets.Delete(ctx, id, window)
	if force && model.KindOf(err) == model.NotFound {
		return &sdk.DeleteSecretOutput{ARN: aws.String(id), Name: aws.String(id), DeletionDate: aws.Time(time.Now())}, nil
	}
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteSecretOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name), DeletionDate: aws.Time(secret.GoneAt)}, nil
}

// restoreSecret: codes ValidationException, ResourceNotFoundException.
func (s *service) restoreSecret(ctx context.Context, in *sdk.RestoreSecretInput) (*sdk.RestoreSecretOutput, error) {
	id, err := secretID(in.SecretId)
	if err != nil {
		return nil, err
	}
	secret, err := s.secrets.Restore(ctx, id)
	if err != nil {
		return nil, err
	}
	return &sdk.RestoreSecretOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name)}, nil
}
