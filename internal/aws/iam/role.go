package iam

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"neargate/internal/model"
)

// role is a role with all that hangs on it, by its name in lower case: names
// that differ in case only are one.
type role struct {
	Name, Path, ID, Description string
	Trust                       string // the assume-role policy document
	MaxSession                  int32  // seconds
	Boundary                    string // ARN of the permissions boundary, or ""
	CreatedAt                   time.Time
	Inline                      map[string]string // document by policy name
	Attached                    []string          // policy ARNs, sorted
	Tags                        []model.Tag
	Service                     string // of a service-linked role, e.g. "ecs.amazonaws.com"
}

func (s *IAM) arn(r role) string { return s.cfg.Place.RoleARN(r.Path, r.Name) }

// find returns a role by name. Errors: ValidationError, NoSuchEntity.
func (s *IAM) find(name *string) (role, error) {
	if name == nil {
		return role{}, missing("roleName")
	}
	if err := validName("roleName", *name); err != nil {
		return role{}, err
	}
	r, ok := s.roles.Get(strings.ToLower(*name))
	if !ok {
		return role{}, model.Errorf(model.NotFound, "NoSuchEntity", "The role with name %s cannot be found.", *name)
	}
	return r, nil
}

// change finds a role that a customer may change, lets fn make the new one of
// a copy, and keeps it.
func (s *IAM) change(ctx context.Context, name *string, fn func(*role) error) error {
	return s.annotate(ctx, name, func(r *role) error {
		if r.Service != "" {
			return protected(*r)
		}
		return fn(r)
	})
}

// annotate is change for what a customer may change of a service's role too: its
// description and its tags (API_TagRole: "a regular role or a service-linked
// role").
func (s *IAM) annotate(ctx context.Context, name *string, fn func(*role) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.find(name)
	if err != nil {
		return err
	}
	r.Inline, r.Attached, r.Tags = maps.Clone(r.Inline), slices.Clone(r.Attached), slices.Clone(r.Tags)
	if err := fn(&r); err != nil {
		return err
	}
	return s.putLocked(ctx, r)
}

func (s *IAM) putLocked(ctx context.Context, r role) error {
	if err := s.roles.Put(ctx, strings.ToLower(r.Name), r); err != nil {
		return fmt.Errorf("keep role %s: %w", r.Name, err)
	}
	return nil
}

// HasRole reports whether the role of this name still is the one with this
// unique id, and not deleted or made anew.
func (s *IAM) HasRole(name, id string) bool {
	r, ok := s.roles.Get(strings.ToLower(name))
	return ok && r.ID == id
}

// AssumableRole returns the unique id and the longest session of the role with
// this ARN.
func (s *IAM) AssumableRole(arn string) (id string, longest time.Duration, ok bool) {
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	r, found := s.roles.Get(strings.ToLower(name))
	if !found || s.arn(r) != arn || r.Service != "" {
		return "", 0, false
	}
	return r.ID, time.Duration(r.MaxSession) * time.Second, true
}

// describe returns a role in the SDK's shape; the trust policy goes out
// URL-encoded, as RFC 3986 says.
func (s *IAM) describe(r role) *types.Role {
	out := &types.Role{
		Arn: aws.String(s.arn(r)), RoleName: aws.String(r.Name), RoleId: aws.String(r.ID), Path: aws.String(r.Path),
		CreateDate:               aws.Time(r.CreatedAt),
		AssumeRolePolicyDocument: aws.String(encoded(r.Trust)),
		MaxSessionDuration:       aws.Int32(r.MaxSession),
		Tags:                     tagsOut(r.Tags),
	}
	if r.Description != "" {
		out.Description = aws.String(r.Description)
	}
	if r.Boundary != "" {
		out.PermissionsBoundary = &types.AttachedPermissionsBoundary{
			PermissionsBoundaryArn: aws.String(r.Boundary), PermissionsBoundaryType: types.PermissionsBoundaryAttachmentTypePolicy,
		}
	}
	return out
}

func encoded(document string) string {
	return strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
}

func missing(member string) error {
	return model.Errorf(model.Invalid, "ValidationError",
		"1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member)
}

func protected(r role) error {
	return model.Errorf(model.Conflict, "UnmodifiableEntity",
		"Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", r.Name)
}
