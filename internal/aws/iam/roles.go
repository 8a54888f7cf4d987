package iam

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// createRole makes a role. Errors: ValidationError, MalformedPolicyDocument,
// EntityAlreadyExists, InvalidInput, LimitExceeded.
func (s *IAM) createRole(ctx context.Context, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	var c wire.Checks
	r := role{
		Name:        c.Text("roleName", in.RoleName, 1, 64),
		Path:        deref(in.Path, "/"),
		Trust:       c.Text("assumeRolePolicyDocument", in.AssumeRolePolicyDocument, 1, 131072),
		Description: c.OptionalText("description", in.Description, 0, 1000),
		MaxSession:  c.Range("maxSessionDuration", in.MaxSessionDuration, 3600, 43200, 3600),
		Boundary:    c.OptionalText("permissionsBoundary", in.PermissionsBoundary, 20, 2048),
		ID:          newID("AROA"),
		CreatedAt:   s.now(),
	}
	if err := c.Err("ValidationError"); err != nil {
		return nil, err
	}
	if err := validName("roleName", r.Name); err != nil {
		return nil, err
	}
	if err := validPath(r.Path); err != nil {
		return nil, err
	}
	if strings.HasPrefix(r.Path, "/aws-service-role/") {
		return nil, model.Errorf(model.Invalid, "ValidationError", "Roles with the path /aws-service-role/ are made by CreateServiceLinkedRole.")
	}
	if err := checkTrust(r.Trust); err != nil {
		return nil, err
	}
	var err error
	if r.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Boundary != "" && !s.attachable(r.Boundary) {
		return nil, notAttachable(r.Boundary)
	}
	if _, exists := s.roles.Get(strings.ToLower(r.Name)); exists {
		return nil, model.Errorf(model.Conflict, "EntityAlreadyExists", "Role with name %s already exists.", r.Name)
	}
	if err := s.putLocked(ctx, r); err != nil {
		return nil, err
	}
	return &iam.CreateRoleOutput{Role: s.describe(r)}, nil
}

// getRole reads a role. Errors: ValidationError, NoSuchEntity.
func (s *IAM) getRole(_ context.Context, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	r, err := s.find(in.RoleName)
	if err != nil {
		return nil, err
	}
	out := s.describe(r)
	out.RoleLastUsed = &types.RoleLastUsed{}
	return &iam.GetRoleOutput{Role: out}, nil
}

// listRoles lists roles by name, without their tags. Errors: ValidationError.
func (s *IAM) listRoles(_ context.Context, in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	var found []role
	for _, r := range s.roles.List("") {
		if strings.HasPrefix(r.Path, deref(in.PathPrefix, "/")) {
			found = append(found, r)
		}
	}
	cut, more, next, err := page(found, func(r role) string { return strings.ToLower(r.Name) }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListRolesOutput{IsTruncated: more, Marker: next}
	for _, r := range cut {
		d := s.describe(r)
		d.Tags, d.PermissionsBoundary = nil, nil
		out.Roles = append(out.Roles, *d)
	}
	return out, nil
}

// deleteRole removes a role that nothing hangs on. Errors: ValidationError,
// NoSuchEntity, DeleteConflict, UnmodifiableEntity.
func (s *IAM) deleteRole(ctx context.Context, in *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.find(in.RoleName)
	switch {
	case err != nil:
		return nil, err
	case r.Service != "":
		return nil, protected(r)
	case len(r.Attached) > 0:
		return nil, model.Errorf(model.Conflict, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
	case len(s.profilesThat(func(p instanceProfile) bool { return strings.EqualFold(p.Role, r.Name) })) > 0:
		return nil, model.Errorf(model.Conflict, "DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
	case len(r.Inline) > 0:
		return nil, model.Errorf(model.Conflict, "DeleteConflict", "Cannot delete entity, must delete policies first.")
	}
	if _, err := s.roles.Delete(ctx, strings.ToLower(r.Name)); err != nil {
		return nil, fmt.Errorf("delete role %s: %w", r.Name, err)
	}
	return &iam.DeleteRoleOutput{}, nil
}

// updateRole changes the description and, of a role that is no service's, the
// longest session. Errors: ValidationError, NoSuchEntity, UnmodifiableEntity.
func (s *IAM) updateRole(ctx context.Context, in *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error) {
	var c wire.Checks
	c.OptionalText("description", in.Description, 0, 1000)
	c.Range("maxSessionDuration", in.MaxSessionDuration, 3600, 43200, 3600)
	if err := c.Err("ValidationError"); err != nil {
		return nil, err
	}
	err := s.annotate(ctx, in.RoleName, func(r *role) error {
		if longest := deref(in.MaxSessionDuration, r.MaxSession); r.Service != "" && longest != r.MaxSession {
			return protected(*r)
		}
		r.Description = deref(in.Description, r.Description)
		r.MaxSession = deref(in.MaxSessionDuration, r.MaxSession)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.UpdateRoleOutput{}, nil
}

// updateAssumeRolePolicy replaces the trust policy. Errors: ValidationError,
// MalformedPolicyDocument, NoSuchEntity, UnmodifiableEntity.
func (s *IAM) updateAssumeRolePolicy(ctx context.Context, in *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error) {
	var c wire.Checks
	trust := c.Text("policyDocument", in.PolicyDocument, 1, 131072)
	if err := c.Err("ValidationError"); err != nil {
		return nil, err
	}
	if err := checkTrust(trust); err != nil {
		return nil, err
	}
	err := s.change(ctx, in.RoleName, func(r *role) error { r.Trust = trust; return nil })
	if err != nil {
		return nil, err
	}
	return &iam.UpdateAssumeRolePolicyOutput{}, nil
}
