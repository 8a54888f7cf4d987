package ecr

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"neargate/internal/model"
	"neargate/internal/registry"
)

// policyKind is one of the policies that a repository may have.
type policyKind struct {
	text       func(model.Repository) string
	name, code string // what ECR calls it, and its error when there is none
}

func ownPolicy() policyKind {
	return policyKind{func(r model.Repository) string { return r.Policy }, "Repository policy", "RepositoryPolicyNotFoundException"}
}

func lifecyclePolicy() policyKind {
	return policyKind{func(r model.Repository) string { return r.Lifecycle }, "Lifecycle policy", "LifecyclePolicyNotFoundException"}
}

func preview() policyKind {
	return policyKind{func(r model.Repository) string { return r.Preview }, "Lifecycle policy preview", "LifecyclePolicyPreviewNotFoundException"}
}

// having returns a repository that has a policy. Codes
// InvalidParameterException, RepositoryNotFoundException, the kind's.
func (s *service) having(kind policyKind, registryID, name *string) (model.Repository, error) {
	n, err := s.repositoryName(registryID, name)
	if err != nil {
		return model.Repository{}, err
	}
	repo, err := s.reg.Repository(n)
	if err == nil && kind.text(repo) == "" {
		return repo, model.Errorf(model.NotFound, kind.code, "%s does not exist for the repository with name '%s' in the registry with id '%s'", kind.name, n, s.place.Account)
	}
	return repo, err
}

// setRepositoryPolicy keeps a policy, which is not enforced. Codes
// InvalidParameterException, RepositoryNotFoundException.
func (s *service) setRepositoryPolicy(ctx context.Context, in *ecr.SetRepositoryPolicyInput) (*ecr.SetRepositoryPolicyOutput, error) {
	name, err := s.repositoryName(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if !json.Valid([]byte(aws.ToString(in.PolicyText))) {
		return nil, model.Errorf(model.Invalid, "InvalidParameterException", "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'")
	}
	_, err = s.reg.UpdateRepository(ctx, name, func(r *model.Repository) error {
		r.Policy = *in.PolicyText
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.SetRepositoryPolicyOutput{PolicyText: in.PolicyText, RegistryId: &s.place.Account, RepositoryName: &name}, nil
}

// getRepositoryPolicy: codes InvalidParameterException,
// RepositoryNotFoundException, RepositoryPolicyNotFoundException.
func (s *service) getRepositoryPolicy(_ context.Context, in *ecr.GetRepositoryPolicyInput) (*ecr.GetRepositoryPolicyOutput, error) {
	repo, err := s.having(ownPolicy(), in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	return &ecr.GetRepositoryPolicyOutput{PolicyText: &repo.Policy, RegistryId: &s.place.Account, RepositoryName: &repo.Name}, nil
}

// deleteRepositoryPolicy: codes InvalidParameterException,
// RepositoryNotFoundException, RepositoryPolicyNotFoundException.
func (s *service) deleteRepositoryPolicy(ctx context.Context, in *ecr.DeleteRepositoryPolicyInput) (*ecr.DeleteRepositoryPolicyOutput, error) {
	repo, err := s.having(ownPolicy(), in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	_, err = s.reg.UpdateRepository(ctx, repo.Name, func(r *model.Repository) error {
		r.Policy = ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.DeleteRepositoryPolicyOutput{PolicyText: &repo.Policy, RegistryId: &s.place.Account, RepositoryName: &repo.Name}, nil
}

// putLifecyclePolicy: codes InvalidParameterException,
// RepositoryNotFoundException.
func (s *service) putLifecyclePolicy(ctx context.Context, in *ecr.PutLifecyclePolicyInput) (*ecr.PutLifecyclePolicyOutput, error) {
	name, err := s.repositoryName(in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := registry.CheckLifecycle(aws.ToString(in.LifecyclePolicyText)); err != nil {
		return nil, err
	}
	if _, err := s.reg.PutLifecycle(ctx, name, *in.LifecyclePolicyText); err != nil {
		return nil, err
	}
	return &ecr.PutLifecyclePolicyOutput{LifecyclePolicyText: in.LifecyclePolicyText, RegistryId: &s.place.Account, RepositoryName: &name}, nil
}

// getLifecyclePolicy: codes InvalidParameterException,
// RepositoryNotFoundException, LifecyclePolicyNotFoundException.
func (s *service) getLifecyclePolicy(_ context.Context, in *ecr.GetLifecyclePolicyInput) (*ecr.GetLifecyclePolicyOutput, error) {
	repo, err := s.having(lifecyclePolicy(), in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	return &ecr.GetLifecyclePolicyOutput{
		LifecyclePolicyText: &repo.Lifecycle, LastEvaluatedAt: &repo.LifecycleAt, RegistryId: &s.place.Account, RepositoryName: &repo.Name,
	}, nil
}

// deleteLifecyclePolicy: codes InvalidParameterException,
// RepositoryNotFoundException, LifecyclePolicyNotFoundException.
func (s *service) deleteLifecyclePolicy(ctx context.Context, in *ecr.DeleteLifecyclePolicyInput) (*ecr.DeleteLifecyclePolicyOutput, error) {
	repo, err := s.having(lifecyclePolicy(), in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if _, err := s.reg.PutLifecycle(ctx, repo.Name, ""); err != nil {
		return nil, err
	}
	return &ecr.DeleteLifecyclePolicyOutput{
		LifecyclePolicyText: &repo.Lifecycle, LastEvaluatedAt: &repo.LifecycleAt, RegistryId: &s.place.Account, RepositoryName: &repo.Name,
	}, nil
}

// startLifecyclePolicyPreview keeps the policy to be previewed, the repository's
// own unless one is given. Codes InvalidParameterException,
// RepositoryNotFoundException, LifecyclePolicyNotFoundException.
func (s *service) startLifecyclePolicyPreview(ctx context.Context, in *ecr.StartLifecyclePolicyPreviewInput) (*ecr.StartLifecyclePolicyPreviewOutput, error) {
	text := aws.ToString(in.LifecyclePolicyText)
	kind := lifecyclePolicy()
	if text != "" {
		kind.text = func(model.Repository) string { return text }
	}
	repo, err := s.having(kind, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	text = kind.text(repo)
	if err := registry.CheckLifecycle(text); err != nil {
		return nil, err
	}
	_, err = s.reg.UpdateRepository(ctx, repo.Name, func(r *model.Repository) error {
		r.Preview = text
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.StartLifecyclePolicyPreviewOutput{
		LifecyclePolicyText: &text, RegistryId: &s.place.Account, RepositoryName: &repo.Name, Status: types.LifecyclePolicyPreviewStatusInProgress,
	}, nil
}

// getLifecyclePolicyPreview: codes InvalidParameterException,
// RepositoryNotFoundException, LifecyclePolicyPreviewNotFoundException.
func (s *service) getLifecyclePolicyPreview(_ context.Context, in *ecr.GetLifecyclePolicyPreviewInput) (*ecr.GetLifecyclePolicyPreviewOutput, error) {
	repo, err := s.having(preview(), in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	gone, err := s.reg.Expiring(repo.Name, repo.Preview)
	if err != nil {
		return nil, err
	}
	out := &ecr.GetLifecyclePolicyPreviewOutput{
		LifecyclePolicyText: &repo.Preview, RegistryId: &s.place.Account, RepositoryName: &repo.Name, Status: types.LifecyclePolicyPreviewStatusComplete,
		Summary: &types.LifecyclePolicyPreviewSummary{ExpiringImageTotalCount: aws.Int32(int32(len(gone)))}, // bounded by the images of one repository
	}
	for _, e := range gone {
		img, err := s.reg.Image(repo.Name, e.Digest)
		if err != nil {
			continue // deleted meanwhile
		}
		out.PreviewResults = append(out.PreviewResults, types.LifecyclePolicyPreviewResult{
			Action:              &types.LifecyclePolicyRuleAction{Type: types.ImageActionTypeExpire},
			AppliedRulePriority: aws.Int32(int32(e.Priority)), ImageDigest: &img.Digest, ImageTags: img.Tags, ImagePushedAt: &img.PushedAt,
		})
	}
	return out, nil
}
