package secretsmanager

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// tagResource: codes ValidationException, InvalidParameterException,
// ResourceNotFoundException, InvalidRequestException.
func (s *service) tagResource(ctx context.Context, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	id, err := secretID(in.SecretId)
	if err != nil {
		return nil, err
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return &sdk.TagResourceOutput{}, s.secrets.Tag(ctx, id, tags)
}

// untagResource: codes ValidationException, ResourceNotFoundException,
// InvalidRequestException.
func (s *service) untagResource(ctx context.Context, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	id, err := secretID(in.SecretId)
	if err != nil {
		return nil, err
	}
	return &sdk.UntagResourceOutput{}, s.secrets.Untag(ctx, id, in.TagKeys)
}
