package efs

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/efs/types"

	"neargate/internal/filesystem"
	"neargate/internal/model"
)

// maxTags is how many tags a resource may have.
const maxTags = 50

func readTags(in []types.Tag) ([]model.Tag, error) {
	if len(in) > maxTags {
		return nil, badRequest("A resource can have at most %d tags.", maxTags)
	}
	var all []model.Tag
	for _, t := range in {
		if n := len(aws.ToString(t.Key)); n == 0 || n > 128 || len(aws.ToString(t.Value)) > 256 {
			return nil, badRequest("A tag key must have 1 to 128 characters, and a tag value at most 256.")
		}
		all = append(all, model.Tag{Key: *t.Key, Value: aws.ToString(t.Value)})
	}
	return all, nil
}

func tagsOf(tags []model.Tag) []types.Tag {
	all := []types.Tag{}
	for _, t := range tags {
		all = append(all, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return all
}

// nameOf is the value of the tag Name.
func nameOf(tags []model.Tag) *string {
	for _, t := range tags {
		if t.Key == "Name" {
			return aws.String(t.Value)
		}
	}
	return nil
}

// changeTags changes the tags of what an ID or an ARN names.
func (s *service) changeTags(ctx context.Context, id string, change func([]model.Tag) ([]model.Tag, error)) error {
	if strings.HasPrefix(model.ARNTail(id, 1), "fsap-") {
		return s.systems.TagAccessPoint(ctx, id, change)
	}
	_, err := s.systems.Change(ctx, id, func(fs *filesystem.FileSystem) (err error) {
		fs.Tags, err = change(fs.Tags)
		return err
	})
	return err
}

// listTags: codes FileSystemNotFound, AccessPointNotFound.
func (s *service) listTags(_ context.Context, in *efs.ListTagsForResourceInput) (*efs.ListTagsForResourceOutput, error) {
	id := aws.ToString(in.ResourceId)
	if strings.HasPrefix(model.ARNTail(id, 1), "fsap-") {
		p, err := s.systems.AccessPoint(id)
		return &efs.ListTagsForResourceOutput{Tags: tagsOf(p.Tags)}, err
	}
	fs, err := s.systems.Get(id)
	return &efs.ListTagsForResourceOutput{Tags: tagsOf(fs.Tags)}, err
}

// tagResource: codes BadRequest, FileSystemNotFound, AccessPointNotFound.
func (s *service) tagResource(ctx context.Context, in *efs.TagResourceInput) (*efs.TagResourceOutput, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return &efs.TagResourceOutput{}, s.changeTags(ctx, aws.ToString(in.ResourceId), func(cur []model.Tag) ([]model.Tag, error) {
		all := model.MergeTags(cur, tags)
		if len(all) > maxTags {
			return nil, badRequest("A resource can have at most %d tags.", maxTags)
		}
		return all, nil
	})
}

// untagResource: codes FileSystemNotFound, AccessPointNotFound.
func (s *service) untagResource(ctx context.Context, in *efs.UntagResourceInput) (*efs.UntagResourceOutput, error) {
	return &efs.UntagResourceOutput{}, s.changeTags(ctx, aws.ToString(in.ResourceId), func(cur []model.Tag) ([]model.Tag, error) {
		return slices.DeleteFunc(slices.Clone(cur), func(t model.Tag) bool { return slices.Contains(in.TagKeys, t.Key) }), nil
	})
}
