package secretsmanager

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/secrets"
)

// getSecretValue: codes ValidationException, ResourceNotFoundException,
// InvalidRequestException, DecryptionFailure.
func (s *service) getSecretValue(ctx context.Context, in *sdk.GetSecretValueInput) (*sdk.GetSecretValueOutput, error) {
	id, err := secretID(in.SecretId)
	if err != nil {
		return nil, err
	}
	v, err := s.secrets.Value(ctx, id, aws.ToString(in.VersionId), aws.ToString(in.VersionStage))
	if err != nil {
		return nil, err
	}
	e := valueEntry(v)
	return &sdk.GetSecretValueOutput{
		ARN: e.ARN, Name: e.Name, CreatedDate: e.CreatedDate, VersionId: e.VersionId, VersionStages: e.VersionStages,
		SecretString: e.SecretString, SecretBinary: e.SecretBinary,
	}, nil
}

func valueEntry(v secrets.Value) types.SecretValueEntry {
	e := types.SecretValueEntry{
		ARN: aws.String(v.Secret.ARN), Name: aws.String(v.Secret.Name), CreatedDate: aws.Time(v.Version.CreatedAt),
		VersionId: aws.String(v.Version.ID), VersionStages: v.Version.Stages,
	}
	if v.Version.Binary {
		e.SecretBinary = v.Data
	} else {
		e.SecretString = aws.String(string(v.Data))
	}
	return e
}

// batchGetSecretValue: codes ValidationException, InvalidParameterException,
// InvalidNextTokenException. What one secret lacks stands among the errors.
func (s *service) batchGetSecretValue(ctx context.Context, in *sdk.BatchGetSecretValueInput) (*sdk.BatchGetSecretValueOutput, error) {
	if (len(in.SecretIdList) == 0) == (len(in.Filters) == 0) {
		return nil, invalid("You must specify either SecretIdList or Filters, but not both.")
	}
	var c wire.Checks
	limit := c.Range("maxResults", in.MaxResults, 1, 20, 20)
	if len(in.SecretIdList) > 20 {
		c.Fail("secretIdList", "'…'", "Member must have length less than or equal to 20")
	}
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	out := &sdk.BatchGetSecretValueOutput{SecretValues: []types.SecretValueEntry{}, Errors: []types.APIErrorType{}}
	ids := in.SecretIdList
	if len(ids) == 0 {
		found, next, err := s.list(listing{filters: in.Filters, token: aws.ToString(in.NextToken), limit: int(limit)})
		if err != nil {
			return nil, err
		}
		out.NextToken = text(next)
		for _, secret := range found {
			ids = append(ids, secret.ARN)
		}
	}
	for _, id := range ids {
		v, err := s.secrets.Value(ctx, id, "", "")
		if err == nil {
			out.SecretValues = append(out.SecretValues, valueEntry(v))
			continue
		}
		e, ok := errors.AsType[*model.Error](err)
		if !ok {
			return nil, err
		}
		out.Errors = append(out.Errors, types.APIErrorType{ErrorCode: aws.String(e.Code), Message: aws.String(e.Msg), SecretId: aws.String(id)})
	}
	return out, nil
}
