package secretsmanager

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"neargate/internal/aws/wire"
	"neargate/internal/secrets"
)

// describeSecret: codes ValidationException, ResourceNotFoundException.
func (s *service) describeSecret(_ context.Context, in *sdk.DescribeSecretInput) (*sdk.DescribeSecretOutput, error) {
	id, err := secretID(in.SecretId)
	if err != nil {
		return nil, err
	}
	secret, err := s.secrets.Secret(id)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeSecretOutput{
		ARN: aws.String(secret.ARN), Name: aws.String(secret.Name), Description: text(secret.Description), KmsKeyId: text(secret.KMSKeyID),
		CreatedDate: aws.Time(secret.CreatedAt), LastChangedDate: aws.Time(secret.ChangedAt), LastAccessedDate: moment(secret.AccessedAt),
		DeletedDate: moment(secret.DeletedAt), Tags: tagsOf(secret.Tags), VersionIdsToStages: stages(secret),
	}, nil
}

// stages returns the staging labels of the versions that have some.
func stages(secret secrets.Secret) map[string][]string {
	all := map[string][]string{}
	for _, v := range secret.Versions {
		if len(v.Stages) > 0 {
			all[v.ID] = v.Stages
		}
	}
	return all
}

// listSecretVersionIDs: codes ValidationException, ResourceNotFoundException,
// InvalidNextTokenException.
func (s *service) listSecretVersionIDs(_ context.Context, in *sdk.ListSecretVersionIdsInput) (*sdk.ListSecretVersionIdsOutput, error) {
	id, err := secretID(in.SecretId)
	if err != nil {
		return nil, err
	}
	var c wire.Checks
	limit := c.Range("maxResults", in.MaxResults, 1, 100, 100)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	secret, err := s.secrets.Secret(id)
	if err != nil {
		return nil, err
	}
	var versions []secrets.Version
	for _, v := range secret.Versions {
		if len(v.Stages) > 0 || aws.ToBool(in.IncludeDeprecated) {
			versions = append(versions, v)
		}
	}
	page, next, ok := wire.Page(versions, func(v secrets.Version) string { return moments(v.CreatedAt) + v.ID }, aws.ToString(in.NextToken), int(limit))
	if !ok {
		return nil, errToken()
	}
	out := &sdk.ListSecretVersionIdsOutput{
		ARN: aws.String(secret.ARN), Name: aws.String(secret.Name), NextToken: text(next), Versions: []types.SecretVersionsListEntry{},
	}
	for _, v := range page {
		out.Versions = append(out.Versions, types.SecretVersionsListEntry{
			VersionId: aws.String(v.ID), VersionStages: v.Stages, CreatedDate: aws.Time(v.CreatedAt), LastAccessedDate: moment(v.AccessedAt),
			KmsKeyIds: []string{"DefaultEncryptionKey"},
		})
	}
	return out, nil
}
