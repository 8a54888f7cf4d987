package servicediscovery

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"
)

// tagResource: codes InvalidInput, ResourceNotFoundException,
// TooManyTagsException.
func (s *service) tagResource(ctx context.Context, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	arn, err := identifier("resourceARN", in.ResourceARN)
	if err != nil {
		return nil, err
	}
	if err := s.directory.Tag(ctx, arn, readTags(in.Tags)); err != nil {
		return nil, err
	}
	return &sdk.TagResourceOutput{}, nil
}

// untagResource: codes InvalidInput, ResourceNotFoundException.
func (s *service) untagResource(ctx context.Context, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	arn, err := identifier("resourceARN", in.ResourceARN)
	if err != nil {
		return nil, err
	}
	if err := s.directory.Untag(ctx, arn, in.TagKeys); err != nil {
		return nil, err
	}
	return &sdk.UntagResourceOutput{}, nil
}

// listTagsForResource: codes InvalidInput, ResourceNotFoundException.
func (s *service) listTagsForResource(_ context.Context, in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	arn, err := identifier("resourceARN", in.ResourceARN)
	if err != nil {
		return nil, err
	}
	tags, err := s.directory.Tags(arn)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, t := range tags {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return out, nil
}
