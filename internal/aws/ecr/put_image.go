package ecr

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/opencontainers/go-digest"

	"neargate/internal/model"
)

// putImage tags or stores a manifest whose layers were pushed before. Codes:
// InvalidParameterException, ImageDigestDoesNotMatchException,
// ImageAlreadyExistsException, and those of registry's PutImage.
func (s *service) putImage(ctx context.Context, in *ecr.PutImageInput) (*ecr.PutImageOutput, error) {
	repo, err := s.repositoryName(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	data, tag := []byte(aws.ToString(in.ImageManifest)), aws.ToString(in.ImageTag)
	if len(data) == 0 || len(data) > 4<<20 {
		return nil, invalid("imageManifest", "Member must have length between 1 and 4194304")
	}
	d := digest.FromBytes(data).String()
	if want := aws.ToString(in.ImageDigest); want != "" && want != d {
		return nil, model.Errorf(model.Invalid, "ImageDigestDoesNotMatchException", "The specified image digest '%s' does not match the digest '%s' of the manifest", want, d)
	}
	ref := tag
	if ref == "" {
		ref = d
	}
	if cur, err := s.reg.Image(repo, ref); err == nil && cur.Digest == d {
		return nil, model.Errorf(model.Conflict, "ImageAlreadyExistsException",
			"Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'", d, tag, repo, s.place.Account)
	}
	img, err := s.reg.PutImage(ctx, repo, tag, data, aws.ToString(in.ImageManifestMediaType))
	if err != nil {
		return nil, err
	}
	out := s.image(img, tag, data)
	return &ecr.PutImageOutput{Image: &out}, nil
}
