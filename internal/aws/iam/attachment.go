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

// awsPolicies begins the ARNs of AWS managed policies.
const awsPolicies = "arn:aws:iam::aws:policy/"

const maxAttached = 10

// attachRolePolicy attaches a managed policy; once more changes nothing.
// Errors: ValidationError, NoSuchEntity, LimitExceeded, UnmodifiableEntity.
func (s *IAM) attachRolePolicy(ctx context.Context, in *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error) {
	if in.PolicyArn == nil {
		return nil, missing("policyArn")
	}
	err := s.change(ctx, in.RoleName, func(r *role) error {
		if !s.attachable(*in.PolicyArn) {
			return notAttachable(*in.PolicyArn)
		}
		i, has := slices.BinarySearch(r.Attached, *in.PolicyArn)
		switch {
		case has:
		case len(r.Attached) == maxAttached:
			return model.Errorf(model.Conflict, "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: %d", maxAttached)
		default:
			r.Attached = slices.Insert(r.Attached, i, *in.PolicyArn)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.AttachRolePolicyOutput{}, nil
}

// detachRolePolicy detaches a managed policy. Errors: ValidationError,
// NoSuchEntity, UnmodifiableEntity.
func (s *IAM) detachRolePolicy(ctx context.Context, in *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error) {
	if in.PolicyArn == nil {
		return nil, missing("policyArn")
	}
	err := s.change(ctx, in.RoleName, func(r *role) error {
		i, has := slices.BinarySearch(r.Attached, *in.PolicyArn)
		if !has {
			return model.Errorf(model.NotFound, "NoSuchEntity", "Policy %s was not found.", *in.PolicyArn)
		}
		r.Attached = slices.Delete(r.Attached, i, i+1)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.DetachRolePolicyOutput{}, nil
}

// listAttachedRolePolicies lists attached policies by ARN. Errors:
// ValidationError, NoSuchEntity.
func (s *IAM) listAttachedRolePolicies(_ context.Context, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
	r, err := s.find(in.RoleName)
	if err != nil {
		return nil, err
	}
	arns := slices.DeleteFunc(slices.Clone(r.Attached), func(arn string) bool {
		return !strings.HasPrefix(policyPath(arn), deref(in.PathPrefix, "/"))
	})
	cut, more, next, err := page(arns, func(a string) string { return a }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListAttachedRolePoliciesOutput{IsTruncated: more, Marker: next}
	for _, arn := range cut {
		name := arn[strings.LastIndexByte(arn, '/')+1:]
		out.AttachedPolicies = append(out.AttachedPolicies, types.AttachedPolicy{PolicyArn: aws.String(arn), PolicyName: aws.String(name)})
	}
	return out, nil
}

// attachable reports whether a policy exists.
func (s *IAM) attachable(arn string) bool {
	if _, ok := managedPolicy(arn); ok {
		return true
	}
	_, ok := s.policies.Get(arn)
	return ok
}

// policyPath returns the path in a policy's ARN: "/" or "/a/b/".
func policyPath(arn string) string {
	_, after, _ := strings.Cut(arn, ":policy/")
	return "/" + after[:strings.LastIndexByte(after, '/')+1]
}

func notAttachable(arn string) error {
	return model.Errorf(model.NotFound, "NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
}
