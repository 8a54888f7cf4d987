package ecr

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"neargate/internal/model"
)

// createRepository: codes InvalidParameterException, InvalidTagParameterException,
// TooManyTagsException, RepositoryAlreadyExistsException.
func (s *service) createRepository(ctx context.Context, in *ecr.CreateRepositoryInput) (*ecr.CreateRepositoryOutput, error) {
	name, err := s.repositoryName(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	spec := model.Repository{Name: name}
	if spec.TagMutability, err = mutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters); err != nil {
		return nil, err
	}
	if e := in.EncryptionConfiguration; e != nil && e.EncryptionType != "" && e.EncryptionType != types.EncryptionTypeAes256 {
		return nil, invalid("encryptionConfiguration", "only AES256 is supported here")
	}
	if in.ImageScanningConfiguration != nil {
		spec.ScanOnPush = in.ImageScanningConfiguration.ScanOnPush
	}
	if spec.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return nil, err
	}
	repo, err := s.reg.CreateRepository(ctx, spec)
	if err != nil {
		return nil, err
	}
	return &ecr.CreateRepositoryOutput{Repository: s.repository(repo)}, nil
}

// mutability checks a tag mutability; exclusion filters are refused rather than
// ignored, as an image could then be overwritten that must not be.
func mutability(m types.ImageTagMutability, filters []types.ImageTagMutabilityExclusionFilter) (string, error) {
	switch m {
	case "", types.ImageTagMutabilityMutable, types.ImageTagMutabilityImmutable:
		if len(filters) > 0 {
			return "", invalid("imageTagMutabilityExclusionFilters", "must not be set with imageTagMutability MUTABLE or IMMUTABLE")
		}
		return string(m), nil
	case types.ImageTagMutabilityImmutableWithExclusion, types.ImageTagMutabilityMutableWithExclusion:
		return "", invalid("imageTagMutability", "exclusion filters are not supported here")
	}
	return "", invalid("imageTagMutability", "Member must satisfy enum value set: [MUTABLE, IMMUTABLE, MUTABLE_WITH_EXCLUSION, IMMUTABLE_WITH_EXCLUSION]")
}
