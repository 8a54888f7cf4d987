package ecr

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"neargate/internal/model"
)

// listImages returns one entry for each tag, and one for each image without.
// Codes: InvalidParameterException, RepositoryNotFoundException.
func (s *service) listImages(_ context.Context, in *ecr.ListImagesInput) (*ecr.ListImagesOutput, error) {
	name, err := s.repositoryName(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	images, err := s.reg.Images(name)
	if err != nil {
		return nil, err
	}
	var filter types.ListImagesFilter
	if in.Filter != nil {
		filter = *in.Filter
	}
	ids := []types.ImageIdentifier{}
	for _, img := range images {
		if !wanted(img, filter.TagStatus, filter.ImageStatus) {
			continue
		}
		for _, tag := range img.Tags {
			ids = append(ids, types.ImageIdentifier{ImageDigest: aws.String(img.Digest), ImageTag: aws.String(tag)})
		}
		if len(img.Tags) == 0 {
			ids = append(ids, types.ImageIdentifier{ImageDigest: aws.String(img.Digest)})
		}
	}
	ids, next, err := page(ids, imageKey, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &ecr.ListImagesOutput{ImageIds: ids, NextToken: next}, nil
}

// imageKey orders identifiers as the registry lists images: by digest, then tag.
func imageKey(id types.ImageIdentifier) string {
	return aws.ToString(id.ImageDigest) + " " + aws.ToString(id.ImageTag)
}

// wanted applies a filter; every image here is ACTIVE.
func wanted(img model.Image, tags types.TagStatus, status types.ImageStatusFilter) bool {
	if status != "" && status != types.ImageStatusFilterAny && status != types.ImageStatusFilterActive {
		return false
	}
	switch tags {
	case types.TagStatusTagged:
		return len(img.Tags) > 0
	case types.TagStatusUntagged:
		return len(img.Tags) == 0
	case types.TagStatusAny:
	}
	return true
}

// describeImages: codes InvalidParameterException, RepositoryNotFoundException,
// ImageNotFoundException.
func (s *service) describeImages(_ context.Context, in *ecr.DescribeImagesInput) (*ecr.DescribeImagesOutput, error) {
	name, err := s.repositoryName(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	var images []model.Image
	if len(in.ImageIds) > 0 {
		images, err = s.namedImages(name, in.ImageIds)
	} else {
		images, err = s.filteredImages(name, in.Filter)
	}
	if err != nil {
		return nil, err
	}
	images, next, err := page(images, func(img model.Image) string { return img.Digest }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ecr.DescribeImagesOutput{ImageDetails: []types.ImageDetail{}, NextToken: next}
	for _, img := range images {
		out.ImageDetails = append(out.ImageDetails, s.imageDetail(img))
	}
	return out, nil
}

func (s *service) namedImages(repo string, ids []types.ImageIdentifier) ([]model.Image, error) {
	var images []model.Image
	seen := map[string]bool{}
	for _, id := range ids {
		img, _, err := s.find(repo, id)
		if err != nil {
			return nil, err
		}
		if !seen[img.Digest] {
			seen[img.Digest] = true
			images = append(images, img)
		}
	}
	slices.SortFunc(images, func(a, b model.Image) int { return strings.Compare(a.Digest, b.Digest) })
	return images, nil
}

func (s *service) filteredImages(repo string, filter *types.DescribeImagesFilter) ([]model.Image, error) {
	all, err := s.reg.Images(repo)
	if err != nil || filter == nil {
		return all, err
	}
	var images []model.Image
	for _, img := range all {
		if wanted(img, filter.TagStatus, filter.ImageStatus) {
			images = append(images, img)
		}
	}
	return images, nil
}

func (s *service) imageDetail(img model.Image) types.ImageDetail {
	d := types.ImageDetail{
		ImageDigest:            aws.String(img.Digest),
		ImageManifestMediaType: aws.String(img.MediaType),
		ImagePushedAt:          aws.Time(img.PushedAt),
		ImageSizeInBytes:       aws.Int64(img.Size),
		ImageStatus:            types.ImageStatusActive,
		ImageTags:              img.Tags,
		RegistryId:             aws.String(s.place.Account),
		RepositoryName:         aws.String(img.Repository),
	}
	if !img.PulledAt.IsZero() {
		d.LastRecordedPullTime = aws.Time(img.PulledAt)
	}
	return d
}
