package ecs

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

const maxTags = 50

// readTags checks tags and puts them over old ones. InvalidParameterException.
func readTags(old []model.Tag, add []types.Tag) ([]model.Tag, error) {
	tags := slices.Clone(old)
	for _, t := range add {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		switch {
		case key == "" || len(key) > 128:
			return nil, invalid("Tag keys must have between 1 and 128 characters.")
		case len(value) > 256:
			return nil, invalid("Tag values must have at most 256 characters.")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, invalid("Tag keys must not begin with aws:.")
		}
		if i := slices.IndexFunc(tags, func(t model.Tag) bool { return t.Key == key }); i >= 0 {
			tags[i].Value = value
			continue
		}
		tags = append(tags, model.Tag{Key: key, Value: value})
	}
	if len(tags) > maxTags {
		return nil, invalid("The maximum number of tags for a resource is %d.", maxTags)
	}
	return tags, nil
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
	err := s.ecs.ChangeTags(ctx, aws.ToString(in.ResourceArn), func(old []model.Tag) ([]model.Tag, error) {
		return readTags(old, in.Tags)
	})
	if err != nil {
		return nil, err
	}
	return &ecs.TagResourceOutput{}, nil
}

// untagResource: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) untagResource(ctx context.Context, in *ecs.UntagResourceInput) (*ecs.UntagResourceOutput, error) {
	err := s.ecs.ChangeTags(ctx, aws.ToString(in.ResourceArn), func(old []model.Tag) ([]model.Tag, error) {
		return slices.DeleteFunc(slices.Clone(old), func(t model.Tag) bool { return slices.Contains(in.TagKeys, t.Key) }), nil
	})
	if err != nil {
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
