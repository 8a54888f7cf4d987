package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// listEntitiesForPolicy lists the roles that a policy is attached to, or that it
// is the permissions boundary of: users and groups have no policies here. Errors:
// ValidationError, NoSuchEntity.
func (s *IAM) listEntitiesForPolicy(_ context.Context, in *iam.ListEntitiesForPolicyInput) (*iam.ListEntitiesForPolicyOutput, error) {
	var c wire.Checks
	arn := c.Text("policyArn", in.PolicyArn, 20, 2048)
	if err := c.Err("ValidationError"); err != nil {
		return nil, err
	}
	if !s.attachable(arn) {
		return nil, model.Errorf(model.NotFound, "NoSuchEntity", "Policy %s was not found.", arn)
	}
	var found []role
	for _, r := range s.roles.List("") {
		if strings.HasPrefix(r.Path, deref(in.PathPrefix, "/")) && r.uses(arn, in.PolicyUsageFilter) {
			found = append(found, r)
		}
	}
	if f := in.EntityFilter; f != "" && f != types.EntityTypeRole {
		found = nil
	}
	cut, more, next, err := page(found, func(r role) string { return strings.ToLower(r.Name) }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListEntitiesForPolicyOutput{IsTruncated: more, Marker: next}
	for _, r := range cut {
		out.PolicyRoles = append(out.PolicyRoles, types.PolicyRole{RoleId: aws.String(r.ID), RoleName: aws.String(r.Name)})
	}
	return out, nil
}

// uses reports whether a role has a policy, in a way; "" is any.
func (r role) uses(arn string, way types.PolicyUsageType) bool {
	attached, bounds := slices.Contains(r.Attached, arn), r.Boundary == arn
	switch way {
	case types.PolicyUsageTypePermissionsPolicy:
		return attached
	case types.PolicyUsageTypePermissionsBoundary:
		return bounds
	}
	return attached || bounds
}
