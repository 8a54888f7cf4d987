package ecs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

func readTags(in []types.Tag) []model.Tag {
	tags := make([]model.Tag, len(in))
	for i, t := range in {
		tags[i] = model.Tag{Key: aws.ToString(t.Key), Value: aws.ToString(t.Value)}
	}
	return tags
}

func tagsOf(tags []model.Tag) []types.Tag {
	all := make([]types.Tag, len(tags))
	for i, t := range tags {
		all[i] = types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)}
	}
	return all
}

// tagResource: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) tagResource(ctx context.Context, in *ecs.TagResourceInput) (*ecs.TagResourceOutput, error) {
	if err := s.ecs.TagResource(ctx, aws.ToString(in.ResourceArn), readTags(in.Tags)); err != nil {
		return nil, err
	}
	return &ecs.TagResourceOutput{}, nil
}

// untagResource: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) untagResource(ctx context.Context, in *ecs.UntagResourceInput) (*ecs.UntagResourceOutput, error) {
	if err := s.ecs.UntagResource(ctx, aws.ToString(in.ResourceArn), in.TagKeys); err != nil {
		return nil, err
	}
	return &ecs.UntagResourceOutput{}, nil
}

// listTagsForResource: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) listTagsForResource(_ context.Context, in *ecs.ListTagsForResourceInput) (*ecs.ListTagsForResourceOutput, error) {
	tags, err := s.ecs.Tags(aws.ToString(in.ResourceArn))
	if err != nil {
		return nil, err
	}
	return &ecs.ListTagsForResourceOutput{Tags: tagsOf(tags)}, nil
}
