package ecr

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"neargate/internal/model"
)

// find returns the image that an identifier names, and by what the registry
// knows it: the digest if there is one, else the tag.
func (s *service) find(repo string, id types.ImageIdentifier) (model.Image, string, error) {
	digest, tag := aws.ToString(id.ImageDigest), aws.ToString(id.ImageTag)
	if digest == "" && tag == "" {
		return model.Image{}, "", model.Errorf(model.Invalid, "MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null")
	}
	ref := digest
	if ref == "" {
		ref = tag
	}
	img, err := s.reg.Image(repo, ref)
	if err != nil {
		return model.Image{}, "", err
	}
	if digest != "" && tag != "" {
		byTag, err := s.reg.Image(repo, tag)
		if err != nil || byTag.Digest != digest {
			return model.Image{}, "", model.Errorf(model.Invalid, "ImageTagDoesNotMatchDigest", "Requested image tag '%s' does not match digest '%s'", tag, digest)
		}
		ref = tag
	}
	return img, ref, nil
}

// failure describes one identifier that could not be served; err is returned
// when the whole call must fail.
func failure(id types.ImageIdentifier, err error) (types.ImageFailure, error) {
	e, ok := errors.AsType[*model.Error](err)
	if !ok {
		return types.ImageFailure{}, err
	}
	switch e.Code {
	case "ImageNotFoundException":
		return types.ImageFailure{ImageId: &id, FailureCode: types.ImageFailureCodeImageNotFound, FailureReason: aws.String("Requested image not found")}, nil
	case "MissingDigestAndTag", "ImageTagDoesNotMatchDigest", "ImageReferencedByManifestList":
		return types.ImageFailure{ImageId: &id, FailureCode: types.ImageFailureCode(e.Code), FailureReason: aws.String(e.Msg)}, nil
	}
	return types.ImageFailure{}, err
}

// batch checks what the batch operations share, and calls each for every
// identifier; what it cannot serve is collected.
func (s *service) batch(registryID, repository *string, ids []types.ImageIdentifier, each func(repo string, id types.ImageIdentifier) error) ([]types.ImageFailure, error) {
	repo, err := s.repositoryName(registryID, repository)
	if err != nil {
		return nil, err
	}
	if _, err := s.reg.Repository(repo); err != nil {
		return nil, err
	}
	if len(ids) < 1 || len(ids) > 100 {
		return nil, invalid("imageIds", "Member must have length between 1 and 100")
	}
	failures := []types.ImageFailure{}
	for _, id := range ids {
		err := each(repo, id)
		if err == nil {
			continue
		}
		f, err := failure(id, err)
		if err != nil {
			return nil, err
		}
		failures = append(failures, f)
	}
	return failures, nil
}

// batchGetImage: codes InvalidParameterException, RepositoryNotFoundException.
// Images are given as they were pushed; acceptedMediaTypes converts nothing.
func (s *service) batchGetImage(_ context.Context, in *ecr.BatchGetImageInput) (*ecr.BatchGetImageOutput, error) {
	out := &ecr.BatchGetImageOutput{Images: []types.Image{}}
	var err error
	out.Failures, err = s.batch(in.RegistryId, in.RepositoryName, in.ImageIds, func(repo string, id types.ImageIdentifier) error {
		_, ref, err := s.find(repo, id)
		if err != nil {
			return err
		}
		data, img, err := s.reg.Manifest(repo, ref)
		if err != nil {
			return err
		}
		out.Images = append(out.Images, s.image(img, aws.ToString(id.ImageTag), data))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *service) image(img model.Image, tag string, manifest []byte) types.Image {
	id := &types.ImageIdentifier{ImageDigest: aws.String(img.Digest)}
	if tag != "" {
		id.ImageTag = aws.String(tag)
	}
	return types.Image{
		ImageId: id, ImageManifest: aws.String(string(manifest)), ImageManifestMediaType: aws.String(img.MediaType),
		RegistryId: aws.String(s.place.Account), RepositoryName: aws.String(img.Repository),
	}
}

// batchDeleteImage: codes InvalidParameterException, RepositoryNotFoundException.
func (s *service) batchDeleteImage(ctx context.Context, in *ecr.BatchDeleteImageInput) (*ecr.BatchDeleteImageOutput, error) {
	out := &ecr.BatchDeleteImageOutput{ImageIds: []types.ImageIdentifier{}}
	var err error
	out.Failures, err = s.batch(in.RegistryId, in.RepositoryName, in.ImageIds, func(repo string, id types.ImageIdentifier) error {
		_, ref, err := s.find(repo, id)
		if err != nil {
			return err
		}
		gone, err := s.reg.DeleteImage(ctx, repo, ref)
		if err != nil {
			return err
		}
		for _, tag := range gone.Tags {
			out.ImageIds = append(out.ImageIds, types.ImageIdentifier{ImageDigest: aws.String(gone.Digest), ImageTag: aws.String(tag)})
		}
		if len(gone.Tags) == 0 {
			out.ImageIds = append(out.ImageIds, types.ImageIdentifier{ImageDigest: aws.String(gone.Digest)})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
