package applicationautoscaling

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// tagResource: codes ValidationException, ResourceNotFoundException,
// TooManyTagsException.
func (s *service) tagResource(ctx context.Context, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	var c wire.Checks
	c.Text("resourceARN", in.ResourceARN, 1, 1011)
	c.Required("tags", in.Tags != nil)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	if _, err := mergeTags(nil, in.Tags); err != nil {
		return nil, err
	}
	err := s.scaler.ChangeTags(ctx, *in.ResourceARN, func(old []model.Tag) []model.Tag {
		tags, _ := mergeTags(old, in.Tags) // checked above
		return tags
	})
	if err != nil {
		return nil, err
	}
	return &sdk.TagResourceOutput{}, nil
}

// untagResource: codes ValidationException, ResourceNotFoundException.
func (s *service) untagResource(ctx context.Context, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	var c wire.Checks
	c.Text("resourceARN", in.ResourceARN, 1, 1011)
	c.Required("tagKeys", in.TagKeys != nil)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	err := s.scaler.ChangeTags(ctx, *in.ResourceARN, func(old []model.Tag) []model.Tag {
		return model.RemoveTags(old, in.TagKeys)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.UntagResourceOutput{}, nil
}

// listTagsForResource: codes ValidationException, ResourceNotFoundException.
func (s *service) listTagsForResource(_ context.Context, in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	var c wire.Checks
	c.Text("resourceARN", in.ResourceARN, 1, 1011)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	tags, err := s.scaler.Tags(*in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListTagsForResourceOutput{Tags: map[string]string{}}
	for _, t := range tags {
		out.Tags[t.Key] = t.Value
	}
	return out, nil
}
