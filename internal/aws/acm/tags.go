package acm

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"neargate/internal/certificates"
	"neargate/internal/model"
)

// maxTags is how many tags a certificate may have.
const maxTags = 50

// addTagsToCertificate: codes ValidationException, InvalidArnException,
// ResourceNotFoundException, InvalidTagException, TooManyTagsException.
func (s *service) addTagsToCertificate(ctx context.Context, in *sdk.AddTagsToCertificateInput) (*sdk.AddTagsToCertificateOutput, error) {
	return &sdk.AddTagsToCertificateOutput{}, s.tag(ctx, "certificateArn", in.CertificateArn, in.Tags)
}

// tagResource has the codes of addTagsToCertificate.
func (s *service) tagResource(ctx context.Context, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	return &sdk.TagResourceOutput{}, s.tag(ctx, "resourceArn", in.ResourceArn, in.Tags)
}

func (s *service) tag(ctx context.Context, member string, v *string, tags []types.Tag) error {
	arn, err := readARN(member, v)
	if err != nil {
		return err
	}
	if len(tags) == 0 {
		return invalid("1 validation error detected: Value null at 'tags' failed to satisfy constraint: Member must not be null")
	}
	return s.certificates.Change(ctx, arn, func(r *certificates.Certificate) error {
		r.Tags, err = mergeTags(r.Tags, tags)
		return err
	})
}

// removeTagsFromCertificate removes those with the same value, where one is named.
// Codes: ValidationException, InvalidArnException, ResourceNotFoundException.
func (s *service) removeTagsFromCertificate(ctx context.Context, in *sdk.RemoveTagsFromCertificateInput) (*sdk.RemoveTagsFromCertificateOutput, error) {
	arn, err := readARN("certificateArn", in.CertificateArn)
	if err != nil {
		return nil, err
	}
	return &sdk.RemoveTagsFromCertificateOutput{}, s.certificates.Change(ctx, arn, func(r *certificates.Certificate) error {
		r.Tags = slices.DeleteFunc(slices.Clone(r.Tags), func(have model.Tag) bool {
			return slices.ContainsFunc(in.Tags, func(t types.Tag) bool {
				return aws.ToString(t.Key) == have.Key && (t.Value == nil || *t.Value == have.Value)
			})
		})
		return nil
	})
}

// untagResource: codes ValidationException, InvalidArnException,
// ResourceNotFoundException.
func (s *service) untagResource(ctx context.Context, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	arn, err := readARN("resourceArn", in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &sdk.UntagResourceOutput{}, s.certificates.Change(ctx, arn, func(r *certificates.Certificate) error {
		r.Tags = model.RemoveTags(r.Tags, in.TagKeys)
		return nil
	})
}

// listTagsForCertificate: codes ValidationException, InvalidArnException,
// ResourceNotFoundException.
func (s *service) listTagsForCertificate(_ context.Context, in *sdk.ListTagsForCertificateInput) (*sdk.ListTagsForCertificateOutput, error) {
	found, err := s.find("certificateArn", in.CertificateArn)
	return &sdk.ListTagsForCertificateOutput{Tags: showTags(found.Tags)}, err
}

// listTagsForResource has the codes of listTagsForCertificate.
func (s *service) listTagsForResource(_ context.Context, in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	found, err := s.find("resourceArn", in.ResourceArn)
	return &sdk.ListTagsForResourceOutput{Tags: showTags(found.Tags)}, err
}

// mergeTags returns tags with those of in added or replaced. Codes
// InvalidTagException, TooManyTagsException, InvalidParameterException.
func mergeTags(tags []model.Tag, in []types.Tag) ([]model.Tag, error) {
	seen := map[string]bool{}
	for _, t := range in {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		switch {
		case key == "" || len(key) > 128 || len(value) > 256:
			return nil, model.Errorf(model.Invalid, "InvalidTagException", "A tag key must have 1 to 128 characters, and a tag value at most 256.")
		case strings.HasPrefix(key, "aws:"):
			return nil, model.Errorf(model.Invalid, "InvalidTagException", "Tag keys that begin with aws: are reserved.")
		case seen[key]:
			return nil, model.Errorf(model.Invalid, "InvalidParameterException", "The tag key '%s' is specified more than once.", key)
		}
		seen[key] = true
		tags = model.MergeTags(tags, []model.Tag{{Key: key, Value: value}})
	}
	if len(tags) > maxTags {
		return nil, model.Errorf(model.Invalid, "TooManyTagsException", "A certificate can have at most %d tags.", maxTags)
	}
	return tags, nil
}

func showTags(tags []model.Tag) []types.Tag {
	all := []types.Tag{}
	for _, t := range tags {
		all = append(all, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return all
}
