package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"neargate/internal/model"
)

// putRolePermissionsBoundary sets a role's boundary, which is kept and not
// enforced. Errors: ValidationError, NoSuchEntity, UnmodifiableEntity.
func (s *IAM) putRolePermissionsBoundary(ctx context.Context, in *iam.PutRolePermissionsBoundaryInput) (*iam.PutRolePermissionsBoundaryOutput, error) {
	if in.PermissionsBoundary == nil {
		return nil, missing("permissionsBoundary")
	}
	err := s.change(ctx, in.RoleName, func(r *role) error {
		if !s.attachable(*in.PermissionsBoundary) {
			return notAttachable(*in.PermissionsBoundary)
		}
		r.Boundary = *in.PermissionsBoundary
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.PutRolePermissionsBoundaryOutput{}, nil
}

// deleteRolePermissionsBoundary takes a role's boundary away. Errors:
// ValidationError, NoSuchEntity, UnmodifiableEntity.
func (s *IAM) deleteRolePermissionsBoundary(ctx context.Context, in *iam.DeleteRolePermissionsBoundaryInput) (*iam.DeleteRolePermissionsBoundaryOutput, error) {
	err := s.change(ctx, in.RoleName, func(r *role) error {
		if r.Boundary == "" {
			return model.Errorf(model.NotFound, "NoSuchEntity", "Role %s does not have a permissions boundary.", r.Name)
		}
		r.Boundary = ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.DeleteRolePermissionsBoundaryOutput{}, nil
}
