package iam

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// putRolePolicy adds or replaces an inline policy. Errors: ValidationError,
// MalformedPolicyDocument, LimitExceeded, NoSuchEntity, UnmodifiableEntity.
func (s *IAM) putRolePolicy(ctx context.Context, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	var c wire.Checks
	name := c.Text("policyName", in.PolicyName, 1, 128)
	document := c.Text("policyDocument", in.PolicyDocument, 1, 131072)
	if err := c.Err("ValidationError"); err != nil {
		return nil, err
	}
	if err := validName("policyName", name); err != nil {
		return nil, err
	}
	if err := checkPolicy(document); err != nil {
		return nil, err
	}
	err := s.change(ctx, in.RoleName, func(r *role) error {
		if r.Inline == nil {
			r.Inline = map[string]string{}
		}
		r.Inline[name] = document
		total := 0
		for _, d := range r.Inline {
			total += size(d)
		}
		if total > maxInlineSize {
			return model.Errorf(model.Conflict, "LimitExceeded", "Maximum policy size of %d bytes exceeded for role %s", maxInlineSize, r.Name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.warned.Do(func() { s.cfg.Log.Warn("policies are kept and not enforced", "role", *in.RoleName, "policy", name) })
	return &iam.PutRolePolicyOutput{}, nil
}

// getRolePolicy reads an inline policy; its document goes out URL-encoded.
// Errors: ValidationError, NoSuchEntity.
func (s *IAM) getRolePolicy(_ context.Context, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	if in.PolicyName == nil {
		return nil, missing("policyName")
	}
	r, err := s.find(in.RoleName)
	if err != nil {
		return nil, err
	}
	document, ok := r.Inline[*in.PolicyName]
	if !ok {
		return nil, noRolePolicy(*in.PolicyName)
	}
	document = encoded(document)
	return &iam.GetRolePolicyOutput{RoleName: &r.Name, PolicyName: in.PolicyName, PolicyDocument: &document}, nil
}

// listRolePolicies lists the names of inline policies. Errors:
// ValidationError, NoSuchEntity.
func (s *IAM) listRolePolicies(_ context.Context, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
	r, err := s.find(in.RoleName)
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(r.Inline))
	cut, more, next, err := page(names, func(n string) string { return n }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListRolePoliciesOutput{PolicyNames: cut, IsTruncated: more, Marker: next}
	return out, nil
}

// deleteRolePolicy removes an inline policy. Errors: ValidationError,
// NoSuchEntity, UnmodifiableEntity.
func (s *IAM) deleteRolePolicy(ctx context.Context, in *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error) {
	if in.PolicyName == nil {
		return nil, missing("policyName")
	}
	err := s.change(ctx, in.RoleName, func(r *role) error {
		if _, ok := r.Inline[*in.PolicyName]; !ok {
			return noRolePolicy(*in.PolicyName)
		}
		delete(r.Inline, *in.PolicyName)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.DeleteRolePolicyOutput{}, nil
}

func noRolePolicy(name string) error {
	return model.Errorf(model.NotFound, "NoSuchEntity", "The role policy with name %s cannot be found.", name)
}
