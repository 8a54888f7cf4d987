package ecr

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"neargate/internal/model"
)

// describeRepositories: codes InvalidParameterException, RepositoryNotFoundException.
func (s *service) describeRepositories(_ context.Context, in *ecr.DescribeRepositoriesInput) (*ecr.DescribeRepositoriesOutput, error) {
	out := &ecr.DescribeRepositoriesOutput{Repositories: []types.Repository{}}
	if len(in.RepositoryNames) == 0 {
		var repos []model.Repository
		if id := aws.ToString(in.RegistryId); id == "" || id == s.place.Account {
			repos = s.reg.Repositories()
		}
		repos, next, err := page(repos, func(r model.Repository) string { return r.Name }, in.NextToken, in.MaxResults)
		if err != nil {
			return nil, err
		}
		for _, r := range repos {
			out.Repositories = append(out.Repositories, *s.repository(r))
		}
		out.NextToken = next
		return out, nil
	}
	if len(in.RepositoryNames) > 100 {
		return nil, invalid("repositoryNames", "Member must have length less than or equal to 100")
	}
	for _, name := range in.RepositoryNames {
		name, err := s.repositoryName(in.RegistryId, &name)
		if err != nil {
			return nil, err
		}
		r, err := s.reg.Repository(name)
		if err != nil {
			return nil, err
		}
		out.Repositories = append(out.Repositories, *s.repository(r))
	}
	return out, nil
}

// deleteRepository: codes InvalidParameterException, RepositoryNotFoundException,
// RepositoryNotEmptyException.
func (s *service) deleteRepository(ctx context.Context, in *ecr.DeleteRepositoryInput) (*ecr.DeleteRepositoryOutput, error) {
	name, err := s.repositoryName(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	repo, err := s.reg.DeleteRepository(ctx, name, in.Force)
	if err != nil {
		return nil, err
	}
	return &ecr.DeleteRepositoryOutput{Repository: s.repository(repo)}, nil
}

// putImageTagMutability: codes InvalidParameterException, RepositoryNotFoundException.
func (s *service) putImageTagMutability(ctx context.Context, in *ecr.PutImageTagMutabilityInput) (*ecr.PutImageTagMutabilityOutput, error) {
	name, err := s.repositoryName(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if in.ImageTagMutability == "" {
		return nil, invalid("imageTagMutability", "must not be null")
	}
	m, err := mutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters)
	if err != nil {
		return nil, err
	}
	repo, err := s.reg.UpdateRepository(ctx, name, func(r *model.Repository) error {
		r.TagMutability = m
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.PutImageTagMutabilityOutput{
		ImageTagMutability: types.ImageTagMutability(repo.TagMutability),
		RegistryId:         aws.String(s.place.Account), RepositoryName: aws.String(name),
	}, nil
}

// putImageScanningConfiguration keeps the setting for read-back; no image is
// scanned. Codes InvalidParameterException, RepositoryNotFoundException.
func (s *service) putImageScanningConfiguration(ctx context.Context, in *ecr.PutImageScanningConfigurationInput) (*ecr.PutImageScanningConfigurationOutput, error) {
	name, err := s.repositoryName(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if in.ImageScanningConfiguration == nil {
		return nil, invalid("imageScanningConfiguration", "must not be null")
	}
	repo, err := s.reg.UpdateRepository(ctx, name, func(r *model.Repository) error {
		r.ScanOnPush = in.ImageScanningConfiguration.ScanOnPush
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.PutImageScanningConfigurationOutput{
		ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: repo.ScanOnPush},
		RegistryId:                 aws.String(s.place.Account), RepositoryName: aws.String(name),
	}, nil
}
