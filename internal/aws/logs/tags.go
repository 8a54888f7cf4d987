package logs

import (
	"context"
	"maps"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

// resource returns the group that an ARN names.
func resource(arn *string) (string, error) {
	value, err := required("resourceArn", arn)
	if err != nil {
		return "", err
	}
	return groupOfARN(value)
}

// tags returns a copy of a group's tags, never nil.
func (s *service) tags(group string) (map[string]string, error) {
	g, err := s.logs.Group(group)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	maps.Copy(out, g.Tags)
	return out, nil
}

// tagResource: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) tagResource(ctx context.Context, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	group, err := resource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if err := s.logs.Tag(ctx, group, in.Tags); err != nil {
		return nil, err
	}
	return &sdk.TagResourceOutput{}, nil
}

// untagResource: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) untagResource(ctx context.Context, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	group, err := resource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if err := s.logs.Untag(ctx, group, in.TagKeys); err != nil {
		return nil, err
	}
	return &sdk.UntagResourceOutput{}, nil
}

// listTagsForResource: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) listTagsForResource(_ context.Context, in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	group, err := resource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := s.tags(group)
	if err != nil {
		return nil, err
	}
	return &sdk.ListTagsForResourceOutput{Tags: tags}, nil
}

// The next three are the older forms, which old clients still call.

// tagLogGroup: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) tagLogGroup(ctx context.Context, in *sdk.TagLogGroupInput) (*sdk.TagLogGroupOutput, error) {
	group, err := required("logGroupName", in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if err := s.logs.Tag(ctx, group, in.Tags); err != nil {
		return nil, err
	}
	return &sdk.TagLogGroupOutput{}, nil
}

// untagLogGroup: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) untagLogGroup(ctx context.Context, in *sdk.UntagLogGroupInput) (*sdk.UntagLogGroupOutput, error) {
	group, err := required("logGroupName", in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if err := s.logs.Untag(ctx, group, in.Tags); err != nil {
		return nil, err
	}
	return &sdk.UntagLogGroupOutput{}, nil
}

// listTagsLogGroup: codes InvalidParameterException, ResourceNotFoundException.
func (s *service) listTagsLogGroup(_ context.Context, in *sdk.ListTagsLogGroupInput) (*sdk.ListTagsLogGroupOutput, error) {
	group, err := required("logGroupName", in.LogGroupName)
	if err != nil {
		return nil, err
	}
	tags, err := s.tags(group)
	if err != nil {
		return nil, err
	}
	return &sdk.ListTagsLogGroupOutput{Tags: tags}, nil
}
