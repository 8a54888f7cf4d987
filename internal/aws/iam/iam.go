// Package iam is the face of AWS Identity and Access Management: roles, their
// policies and service-linked roles, as scripts for ECS make and read them.
//
// It owns roles and customer managed policies, in the store. Policies are
// checked for form, kept and not enforced. AWS managed policies can be attached
// by ARN; those that stacks of ECS name have a document here. The package is safe for concurrent use.
package iam

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/store"
)

// Config sets up IAM.
type Config struct {
	Place model.Place
	Keys  rootKeys
	Log   *slog.Logger
	Now   func() time.Time // nil is time.Now
}

// IAM keeps roles and policies.
type IAM struct {
	cfg Config

	mu        sync.Mutex // held by every operation that writes
	roles     *store.Table[role]
	policies  *store.Table[policy]
	profiles  *store.Table[instanceProfile]
	deletions *store.Table[deletion]

	trusts trusts
	warned sync.Once // that policies are not enforced
}

// Open reads IAM's state from db.
func Open(db *store.DB, cfg Config) (*IAM, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &IAM{cfg: cfg}
	var err error
	if s.roles, err = store.NewTable[role](db, "iam_roles"); err != nil {
		return nil, fmt.Errorf("open roles: %w", err)
	}
	if s.policies, err = store.NewTable[policy](db, "iam_policies"); err != nil {
		return nil, fmt.Errorf("open policies: %w", err)
	}
	if s.profiles, err = store.NewTable[instanceProfile](db, "iam_instance_profiles"); err != nil {
		return nil, fmt.Errorf("open instance profiles: %w", err)
	}
	if s.deletions, err = store.NewTable[deletion](db, "iam_deletions"); err != nil {
		return nil, fmt.Errorf("open deletions: %w", err)
	}
	return s, nil
}

// New returns the face over s.
func New(s *IAM) wire.Service {
	return wire.Service{
		SigningName: "iam",
		Version:     "2010-05-08",
		Namespace:   "https://iam.amazonaws.com/doc/2010-05-08/",
		Status: map[string]int{
			"NoSuchEntity":        http.StatusNotFound,
			"EntityAlreadyExists": http.StatusConflict,
			"DeleteConflict":      http.StatusConflict,
			"LimitExceeded":       http.StatusConflict,
		},
		Kept: kept(),
		Operations: []wire.Operation{
			wire.Op("AddRoleToInstanceProfile", s.addRoleToInstanceProfile),
			wire.Op("AttachRolePolicy", s.attachRolePolicy),
			wire.Op("CreateAccessKey", s.createAccessKey),
			wire.Op("CreateInstanceProfile", s.createInstanceProfile),
			wire.Op("CreatePolicy", s.createPolicy),
			wire.Op("CreatePolicyVersion", s.createPolicyVersion),
			wire.Op("CreateRole", s.createRole),
			wire.Op("CreateServiceLinkedRole", s.createServiceLinkedRole),
			wire.Op("DeleteAccessKey", s.deleteAccessKey),
			wire.Op("DeleteInstanceProfile", s.deleteInstanceProfile),
			wire.Op("DeletePolicy", s.deletePolicy),
			wire.Op("DeletePolicyVersion", s.deletePolicyVersion),
			wire.Op("DeleteRole", s.deleteRole),
			wire.Op("DeleteRolePermissionsBoundary", s.deleteRolePermissionsBoundary),
			wire.Op("DeleteRolePolicy", s.deleteRolePolicy),
			wire.Op("DeleteServiceLinkedRole", s.deleteServiceLinkedRole),
			wire.Op("DetachRolePolicy", s.detachRolePolicy),
			wire.Op("GetInstanceProfile", s.getInstanceProfile),
			wire.Op("GetPolicy", s.getPolicy),
			wire.Op("GetPolicyVersion", s.getPolicyVersion),
			wire.Op("GetRole", s.getRole),
			wire.Op("GetRolePolicy", s.getRolePolicy),
			wire.Op("GetServiceLinkedRoleDeletionStatus", s.getServiceLinkedRoleDeletionStatus),
			wire.Op("GetUser", s.getUser),
			wire.Op("ListAccessKeys", s.listAccessKeys),
			wire.Op("ListAttachedRolePolicies", s.listAttachedRolePolicies),
			wire.Op("ListEntitiesForPolicy", s.listEntitiesForPolicy),
			wire.Op("ListInstanceProfiles", s.listInstanceProfiles),
			wire.Op("ListInstanceProfilesForRole", s.listInstanceProfilesForRole),
			wire.Op("ListPolicies", s.listPolicies),
			wire.Op("ListPolicyTags", s.listPolicyTags),
			wire.Op("ListPolicyVersions", s.listPolicyVersions),
			wire.Op("ListRolePolicies", s.listRolePolicies),
			wire.Op("ListRoles", s.listRoles),
			wire.Op("ListRoleTags", s.listRoleTags),
			wire.Op("PutRolePermissionsBoundary", s.putRolePermissionsBoundary),
			wire.Op("PutRolePolicy", s.putRolePolicy),
			wire.Op("RemoveRoleFromInstanceProfile", s.removeRoleFromInstanceProfile),
			wire.Op("SetDefaultPolicyVersion", s.setDefaultPolicyVersion),
			wire.Op("TagPolicy", s.tagPolicy),
			wire.Op("TagRole", s.tagRole),
			wire.Op("UntagPolicy", s.untagPolicy),
			wire.Op("UntagRole", s.untagRole),
			wire.Op("UpdateAssumeRolePolicy", s.updateAssumeRolePolicy),
			wire.Op("UpdateRole", s.updateRole),
		},
	}
}

// now is the time to the second, as IAM shows it.
func (s *IAM) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Second) }

// newID makes a unique id: AROA for roles, ANPA for policies, and 17 characters.
func newID(prefix string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	b := make([]byte, 17)
	_, _ = rand.Read(b) // never fails
	for i := range b {
		b[i] = letters[b[i]%byte(len(letters))]
	}
	return prefix + string(b)
}

// validName notes a name with letters that IAM does not take.
func validName(member, name string) error {
	bad := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("+=,.@_-", r)
	}
	if name == "" || strings.ContainsFunc(name, bad) {
		return model.Errorf(model.Invalid, "ValidationError",
			"The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", member)
	}
	return nil
}

// validPath wants "/" or "/…/".
func validPath(path string) error {
	if len(path) > 512 || !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/") || strings.ContainsFunc(path, func(r rune) bool { return r < 0x21 || r > 0x7e }) {
		return model.Errorf(model.Invalid, "ValidationError",
			"The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return nil
}

// deref returns what p points to, or fallback.
func deref[T any](p *T, fallback T) T {
	if p == nil {
		return fallback
	}
	return *p
}

// page cuts one page of at most 1000 items, 100 unless asked, in IAM's own
// members. Errors: ValidationError.
func page[T any](items []T, key func(T) string, marker *string, maxItems *int32) (cut []T, more bool, next *string, err error) {
	var c wire.Checks
	limit := c.Range("maxItems", maxItems, 1, 1000, 100)
	if err := c.Err("ValidationError"); err != nil {
		return nil, false, nil, err
	}
	cut, token, ok := wire.Page(items, key, deref(marker, ""), int(limit))
	switch {
	case !ok:
		return nil, false, nil, model.Errorf(model.Invalid, "ValidationError", "Invalid Marker.")
	case token == "":
		return cut, false, nil, nil
	}
	return cut, true, &token, nil
}
