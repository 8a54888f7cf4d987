package iam

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

const maxVersions = 5

// createPolicyVersion adds a document to a policy. Codes ValidationError,
// NoSuchEntity, MalformedPolicyDocument, LimitExceeded, AccessDenied.
func (s *IAM) createPolicyVersion(ctx context.Context, in *iam.CreatePolicyVersionInput) (*iam.CreatePolicyVersionOutput, error) {
	var c wire.Checks
	document := c.Text("policyDocument", in.PolicyDocument, 1, 131072)
	if err := c.Err("ValidationError"); err != nil {
		return nil, err
	}
	if err := checkPolicy(document); err != nil {
		return nil, err
	}
	if size(document) > maxPolicySize {
		return nil, model.Errorf(model.Conflict, "LimitExceeded", "Cannot exceed quota for PolicySize: %d", maxPolicySize)
	}
	v := policyVersion{Document: document, CreatedAt: s.now()}
	p, err := s.changePolicy(ctx, in.PolicyArn, func(p *policy) error {
		if len(p.Versions) >= maxVersions {
			return model.Errorf(model.Conflict, "LimitExceeded",
				"A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
		}
		p.Made++
		v.ID = "v" + strconv.Itoa(p.Made)
		p.Versions = append(p.Versions, v)
		if in.SetAsDefault {
			p.Default = v.ID
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreatePolicyVersionOutput{PolicyVersion: new(p.describeVersion(v))}, nil
}

// changePolicy finds a policy of the account's own, lets fn make the new one of a
// copy, and keeps it.
func (s *IAM) changePolicy(ctx context.Context, arn *string, fn func(*policy) error) (policy, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.findOwnPolicy(arn)
	if err != nil {
		return p, err
	}
	p.Versions, p.Tags = slices.Clone(p.Versions), slices.Clone(p.Tags)
	if err := fn(&p); err != nil {
		return p, err
	}
	if err := s.policies.Put(ctx, p.ARN, p); err != nil {
		return p, fmt.Errorf("keep policy %s: %w", p.Name, err)
	}
	return p, nil
}

// setDefaultPolicyVersion puts a version in force. Codes ValidationError,
// NoSuchEntity, AccessDenied.
func (s *IAM) setDefaultPolicyVersion(ctx context.Context, in *iam.SetDefaultPolicyVersionInput) (*iam.SetDefaultPolicyVersionOutput, error) {
	_, err := s.changePolicy(ctx, in.PolicyArn, func(p *policy) error {
		_, err := p.find(in.VersionId)
		p.Default = deref(in.VersionId, "")
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iam.SetDefaultPolicyVersionOutput{}, nil
}

// deletePolicyVersion removes a version that is not in force. Codes
// ValidationError, NoSuchEntity, DeleteConflict, AccessDenied.
func (s *IAM) deletePolicyVersion(ctx context.Context, in *iam.DeletePolicyVersionInput) (*iam.DeletePolicyVersionOutput, error) {
	_, err := s.changePolicy(ctx, in.PolicyArn, func(p *policy) error {
		v, err := p.find(in.VersionId)
		if err != nil {
			return err
		}
		if v.ID == p.Default {
			return model.Errorf(model.Conflict, "DeleteConflict", "Cannot delete the default version of a policy.")
		}
		p.Versions = slices.DeleteFunc(p.Versions, func(o policyVersion) bool { return o.ID == v.ID })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.DeletePolicyVersionOutput{}, nil
}

// getPolicyVersion reads a version's document, URL-encoded. Codes
// ValidationError, NoSuchEntity.
func (s *IAM) getPolicyVersion(_ context.Context, in *iam.GetPolicyVersionInput) (*iam.GetPolicyVersionOutput, error) {
	p, err := s.findPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v, err := p.find(in.VersionId)
	if err != nil {
		return nil, err
	}
	out := p.describeVersion(v)
	out.Document = aws.String(encoded(v.Document))
	return &iam.GetPolicyVersionOutput{PolicyVersion: &out}, nil
}

// listPolicyVersions lists a policy's versions, the newest first. Codes
// ValidationError, NoSuchEntity.
func (s *IAM) listPolicyVersions(_ context.Context, in *iam.ListPolicyVersionsInput) (*iam.ListPolicyVersionsOutput, error) {
	p, err := s.findPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	out := &iam.ListPolicyVersionsOutput{}
	for _, v := range slices.Backward(p.Versions) {
		out.Versions = append(out.Versions, p.describeVersion(v))
	}
	return out, nil
}

func (p policy) find(id *string) (policyVersion, error) {
	if id == nil {
		return policyVersion{}, missing("versionId")
	}
	i := slices.IndexFunc(p.Versions, func(v policyVersion) bool { return v.ID == *id })
	if i < 0 {
		return policyVersion{}, model.Errorf(model.NotFound, "NoSuchEntity", "Policy %s version %s does not exist or is not attachable.", p.ARN, *id)
	}
	return p.Versions[i], nil
}

func (p policy) describeVersion(v policyVersion) types.PolicyVersion {
	return types.PolicyVersion{VersionId: aws.String(v.ID), IsDefaultVersion: v.ID == p.Default, CreateDate: aws.Time(v.CreatedAt)}
}

// tagPolicy adds or changes tags. Codes ValidationError, InvalidInput,
// LimitExceeded, NoSuchEntity, AccessDenied.
func (s *IAM) tagPolicy(ctx context.Context, in *iam.TagPolicyInput) (*iam.TagPolicyOutput, error) {
	_, err := s.changePolicy(ctx, in.PolicyArn, func(p *policy) (err error) {
		p.Tags, err = mergeTags(p.Tags, in.Tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iam.TagPolicyOutput{}, nil
}

// untagPolicy removes tags by key. Codes ValidationError, NoSuchEntity,
// AccessDenied.
func (s *IAM) untagPolicy(ctx context.Context, in *iam.UntagPolicyInput) (*iam.UntagPolicyOutput, error) {
	_, err := s.changePolicy(ctx, in.PolicyArn, func(p *policy) error {
		p.Tags = model.RemoveTags(p.Tags, in.TagKeys)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.UntagPolicyOutput{}, nil
}

// listPolicyTags lists a policy's tags by key. Codes ValidationError,
// NoSuchEntity.
func (s *IAM) listPolicyTags(_ context.Context, in *iam.ListPolicyTagsInput) (*iam.ListPolicyTagsOutput, error) {
	p, err := s.findPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	cut, more, next, err := page(p.Tags, func(t model.Tag) string { return t.Key }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListPolicyTagsOutput{Tags: tagsOut(cut), IsTruncated: more, Marker: next}, nil
}
