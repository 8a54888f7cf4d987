package ecr

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"neargate/internal/model"
)

// maxTags is ECR's limit of tags per repository.
const maxTags = 50

// named returns the repository that an ARN names.
func (s *service) named(arn *string) (model.Repository, error) {
	a, ok := model.ParseARN(aws.ToString(arn))
	name, isRepo := strings.CutPrefix(a.Resource, "repository/")
	if !ok || a.Service != "ecr" || !isRepo {
		return model.Repository{}, invalid("resourceArn", "is not the ARN of a repository")
	}
	return s.reg.Repository(name)
}

// mergeTags checks new tags and puts them over old ones.
func mergeTags(old []model.Tag, add []types.Tag) ([]model.Tag, error) {
	tags := old
	for _, t := range add {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		if key == "" || len(key) > 128 || len(value) > 256 || strings.HasPrefix(key, "aws:") {
			return nil, model.Errorf(model.Invalid, "InvalidTagParameterException", "Invalid parameter at 'tags': key %q", key)
		}
		tags = model.MergeTags(tags, []model.Tag{{Key: key, Value: value}})
	}
	if len(tags) > maxTags {
		return nil, model.Errorf(model.Invalid, "TooManyTagsException", "The list of tags on the repository is over the limit. The maximum number of tags that can be applied to a repository is %d.", maxTags)
	}
	return tags, nil
}

// tagResource: codes InvalidParameterException, InvalidTagParameterException,
// TooManyTagsException, RepositoryNotFoundException.
func (s *service) tagResource(ctx context.Context, in *ecr.TagResourceInput) (*ecr.TagResourceOutput, error) {
	repo, err := s.named(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	_, err = s.reg.UpdateRepository(ctx, repo.Name, func(r *model.Repository) error {
		r.Tags, err = mergeTags(r.Tags, in.Tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &ecr.TagResourceOutput{}, nil
}

// untagResource: codes InvalidParameterException, RepositoryNotFoundException.
func (s *service) untagResource(ctx context.Context, in *ecr.UntagResourceInput) (*ecr.UntagResourceOutput, error) {
	repo, err := s.named(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	_, err = s.reg.UpdateRepository(ctx, repo.Name, func(r *model.Repository) error {
		r.Tags = model.RemoveTags(r.Tags, in.TagKeys)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.UntagResourceOutput{}, nil
}

// listTagsForResource: codes InvalidParameterException, RepositoryNotFoundException.
func (s *service) listTagsForResource(_ context.Context, in *ecr.ListTagsForResourceInput) (*ecr.ListTagsForResourceOutput, error) {
	repo, err := s.named(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &ecr.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, t := range repo.Tags {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return out, nil
}
