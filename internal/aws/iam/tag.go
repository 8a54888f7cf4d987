package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"neargate/internal/model"
)

const maxTags = 50

// tagRole adds or changes tags. Errors: ValidationError, InvalidInput,
// LimitExceeded, NoSuchEntity.
func (s *IAM) tagRole(ctx context.Context, in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	err := s.annotate(ctx, in.RoleName, func(r *role) (err error) {
		r.Tags, err = mergeTags(r.Tags, in.Tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iam.TagRoleOutput{}, nil
}

// untagRole removes tags by key. Errors: ValidationError, NoSuchEntity.
func (s *IAM) untagRole(ctx context.Context, in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	err := s.annotate(ctx, in.RoleName, func(r *role) error {
		r.Tags = model.RemoveTags(r.Tags, in.TagKeys)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.UntagRoleOutput{}, nil
}

// listRoleTags lists a role's tags by key. Errors: ValidationError,
// NoSuchEntity.
func (s *IAM) listRoleTags(_ context.Context, in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	r, err := s.find(in.RoleName)
	if err != nil {
		return nil, err
	}
	cut, more, next, err := page(r.Tags, func(t model.Tag) string { return t.Key }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListRoleTagsOutput{Tags: tagsOut(cut), IsTruncated: more, Marker: next}
	return out, nil
}

// mergeTags puts more over have; the result is sorted by key.
func mergeTags(have []model.Tag, more []types.Tag) ([]model.Tag, error) {
	out := slices.Clone(have)
	seen := map[string]bool{}
	for _, t := range more {
		key := deref(t.Key, "")
		switch {
		case key == "" || len(key) > 128 || len(deref(t.Value, "")) > 256:
			return nil, model.Errorf(model.Invalid, "ValidationError", "Tag keys have 1 to 128 characters and values at most 256.")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, model.Errorf(model.Invalid, "InvalidInput", "Tag keys beginning with aws: are reserved for AWS use.")
		case seen[strings.ToLower(key)]:
			return nil, model.Errorf(model.Invalid, "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[strings.ToLower(key)] = true
		out = slices.DeleteFunc(out, func(o model.Tag) bool { return strings.EqualFold(o.Key, key) })
		out = append(out, model.Tag{Key: key, Value: deref(t.Value, "")})
	}
	if len(out) > maxTags {
		return nil, model.Errorf(model.Conflict, "LimitExceeded", "Cannot exceed quota for TagsPerRole: %d", maxTags)
	}
	slices.SortFunc(out, func(a, b model.Tag) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

func tagsOut(tags []model.Tag) []types.Tag {
	var out []types.Tag
	for _, t := range tags {
		out = append(out, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return out
}
