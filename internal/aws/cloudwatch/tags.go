package cloudwatch

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"neargate/internal/model"
)

// maxTags is how many tags a resource may have.
const maxTags = 50

// tagged returns the alarm that an ARN names.
func (s *service) tagged(arn *string) (model.Alarm, error) {
	if arn == nil {
		return model.Alarm{}, missing("ResourceARN")
	}
	a, ok := model.ParseARN(*arn)
	name, isAlarm := strings.CutPrefix(a.Resource, "alarm:")
	if !ok || a.Service != "cloudwatch" || !isAlarm {
		return model.Alarm{}, invalid("The value %s for parameter ResourceARN is invalid.", *arn)
	}
	al, ok := s.alarms.Alarm(name)
	if !ok || al.ARN != *arn {
		return model.Alarm{}, model.Errorf(model.NotFound, "ResourceNotFoundException", "Unknown")
	}
	return al, nil
}

// tagResource: codes MissingRequiredParameterException,
// InvalidParameterValueException, ResourceNotFoundException.
func (s *service) tagResource(ctx context.Context, in *cloudwatch.TagResourceInput) (*cloudwatch.TagResourceOutput, error) {
	al, err := s.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	if in.Tags == nil {
		return nil, missing("Tags")
	}
	merged := al.Tags
	for _, t := range in.Tags {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		if key == "" || len(key) > 128 || len(value) > 256 {
			return nil, invalid("The tag with the key %q is invalid: keys have 1 to 128 characters, values up to 256.", key)
		}
		merged = setTag(slices.Clone(merged), key, value)
	}
	if len(merged) > maxTags {
		return nil, invalid("A resource must not have more than %d tags.", maxTags)
	}
	err = s.alarms.SetTags(ctx, al.Name, func(tags []model.Tag) []model.Tag {
		for _, t := range in.Tags {
			tags = setTag(tags, *t.Key, aws.ToString(t.Value))
		}
		return tags
	})
	return &cloudwatch.TagResourceOutput{}, err
}

// setTag puts a tag over the one with its key, or behind the others.
func setTag(tags []model.Tag, key, value string) []model.Tag {
	for i := range tags {
		if tags[i].Key == key {
			tags[i].Value = value
			return tags
		}
	}
	return append(tags, model.Tag{Key: key, Value: value})
}

// untagResource: codes as tagResource.
func (s *service) untagResource(ctx context.Context, in *cloudwatch.UntagResourceInput) (*cloudwatch.UntagResourceOutput, error) {
	al, err := s.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	err = s.alarms.SetTags(ctx, al.Name, func(tags []model.Tag) []model.Tag {
		return model.RemoveTags(tags, in.TagKeys)
	})
	return &cloudwatch.UntagResourceOutput{}, err
}

// listTagsForResource: codes as tagResource.
func (s *service) listTagsForResource(_ context.Context, in *cloudwatch.ListTagsForResourceInput) (*cloudwatch.ListTagsForResourceOutput, error) {
	al, err := s.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, t := range al.Tags {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return out, nil
}
