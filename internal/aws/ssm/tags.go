package ssm

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// resource returns the parameter that a call about tags names.
// ValidationException, InvalidResourceType.
func resource(kind types.ResourceTypeForTagging, id *string) (string, error) {
	var c wire.Checks
	name := c.Text("resourceId", id, 1, 2048)
	if err := c.Err(validation); err != nil {
		return "", err
	}
	if kind != types.ResourceTypeForTaggingParameter {
		return "", model.Errorf(model.Invalid, "InvalidResourceType", "The resource type is not valid. For example, if you are attempting to tag an EC2 instance, the instance must be a registered managed node.")
	}
	return name, nil
}

// addTagsToResource: codes ValidationException, InvalidResourceType,
// InvalidResourceId, TooManyTagsError.
func (s *service) addTagsToResource(ctx context.Context, in *sdk.AddTagsToResourceInput) (*sdk.AddTagsToResourceOutput, error) {
	name, err := resource(in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return &sdk.AddTagsToResourceOutput{}, s.parameters.Tag(ctx, name, tags)
}

// removeTagsFromResource: codes ValidationException, InvalidResourceType,
// InvalidResourceId.
func (s *service) removeTagsFromResource(ctx context.Context, in *sdk.RemoveTagsFromResourceInput) (*sdk.RemoveTagsFromResourceOutput, error) {
	name, err := resource(in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	return &sdk.RemoveTagsFromResourceOutput{}, s.parameters.Untag(ctx, name, in.TagKeys)
}

// listTagsForResource: codes ValidationException, InvalidResourceType,
// InvalidResourceId.
func (s *service) listTagsForResource(_ context.Context, in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	name, err := resource(in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	tags, err := s.parameters.Tags(name)
	if err != nil {
		return nil, err
	}
	return &sdk.ListTagsForResourceOutput{TagList: tagsOf(tags)}, nil
}
