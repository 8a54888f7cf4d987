package iam

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// instanceProfile is an instance profile, by its name in lower case. It is kept:
// there are no instances.
type instanceProfile struct {
	Name, Path, ID string
	Role           string // its name, or ""
	CreatedAt      time.Time
	Tags           []model.Tag
}

// createInstanceProfile: codes ValidationError, EntityAlreadyExists,
// InvalidInput, LimitExceeded.
func (s *IAM) createInstanceProfile(ctx context.Context, in *iam.CreateInstanceProfileInput) (*iam.CreateInstanceProfileOutput, error) {
	var c wire.Checks
	p := instanceProfile{Name: c.Text("instanceProfileName", in.InstanceProfileName, 1, 128), Path: deref(in.Path, "/"), ID: newID("AIPA"), CreatedAt: s.now()}
	if err := c.Err("ValidationError"); err != nil {
		return nil, err
	}
	if err := validName("instanceProfileName", p.Name); err != nil {
		return nil, err
	}
	if err := validPath(p.Path); err != nil {
		return nil, err
	}
	var err error
	if p.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.profiles.Get(strings.ToLower(p.Name)); exists {
		return nil, model.Errorf(model.Conflict, "EntityAlreadyExists", "Instance Profile %s already exists.", p.Name)
	}
	if err := s.putProfileLocked(ctx, p); err != nil {
		return nil, err
	}
	return &iam.CreateInstanceProfileOutput{InstanceProfile: s.describeProfile(p)}, nil
}

func (s *IAM) putProfileLocked(ctx context.Context, p instanceProfile) error {
	if err := s.profiles.Put(ctx, strings.ToLower(p.Name), p); err != nil {
		return fmt.Errorf("keep instance profile %s: %w", p.Name, err)
	}
	return nil
}

func (s *IAM) findProfile(name *string) (instanceProfile, error) {
	if name == nil {
		return instanceProfile{}, missing("instanceProfileName")
	}
	p, ok := s.profiles.Get(strings.ToLower(*name))
	if !ok {
		return p, model.Errorf(model.NotFound, "NoSuchEntity", "Instance Profile %.128s cannot be found.", *name)
	}
	return p, nil
}

func (s *IAM) describeProfile(p instanceProfile) *types.InstanceProfile {
	out := &types.InstanceProfile{
		Arn:                 aws.String("arn:aws:iam::" + s.cfg.Place.Account + ":instance-profile" + p.Path + p.Name),
		InstanceProfileName: aws.String(p.Name), InstanceProfileId: aws.String(p.ID), Path: aws.String(p.Path),
		CreateDate: aws.Time(p.CreatedAt), Roles: []types.Role{}, Tags: tagsOut(p.Tags),
	}
	if r, ok := s.roles.Get(strings.ToLower(p.Role)); ok {
		out.Roles = append(out.Roles, *s.describe(r))
	}
	return out
}

// getInstanceProfile: codes ValidationError, NoSuchEntity.
func (s *IAM) getInstanceProfile(_ context.Context, in *iam.GetInstanceProfileInput) (*iam.GetInstanceProfileOutput, error) {
	p, err := s.findProfile(in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	return &iam.GetInstanceProfileOutput{InstanceProfile: s.describeProfile(p)}, nil
}

// deleteInstanceProfile: codes ValidationError, NoSuchEntity, DeleteConflict.
func (s *IAM) deleteInstanceProfile(ctx context.Context, in *iam.DeleteInstanceProfileInput) (*iam.DeleteInstanceProfileOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.findProfile(in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	if p.Role != "" {
		return nil, model.Errorf(model.Conflict, "DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
	}
	if _, err := s.profiles.Delete(ctx, strings.ToLower(p.Name)); err != nil {
		return nil, fmt.Errorf("delete instance profile %s: %w", p.Name, err)
	}
	return &iam.DeleteInstanceProfileOutput{}, nil
}

// addRoleToInstanceProfile: codes ValidationError, NoSuchEntity, LimitExceeded.
func (s *IAM) addRoleToInstanceProfile(ctx context.Context, in *iam.AddRoleToInstanceProfileInput) (*iam.AddRoleToInstanceProfileOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.findProfile(in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	r, err := s.find(in.RoleName)
	if err != nil {
		return nil, err
	}
	if p.Role != "" {
		return nil, model.Errorf(model.Conflict, "LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
	}
	p.Role = r.Name
	return &iam.AddRoleToInstanceProfileOutput{}, s.putProfileLocked(ctx, p)
}

// removeRoleFromInstanceProfile: codes ValidationError, NoSuchEntity.
func (s *IAM) removeRoleFromInstanceProfile(ctx context.Context, in *iam.RemoveRoleFromInstanceProfileInput) (*iam.RemoveRoleFromInstanceProfileOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.findProfile(in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	if in.RoleName == nil {
		return nil, missing("roleName")
	}
	if !strings.EqualFold(p.Role, *in.RoleName) {
		return nil, model.Errorf(model.NotFound, "NoSuchEntity", "The role with name %.64s cannot be found.", *in.RoleName)
	}
	p.Role = ""
	return &iam.RemoveRoleFromInstanceProfileOutput{}, s.putProfileLocked(ctx, p)
}

// listInstanceProfiles: codes ValidationError.
func (s *IAM) listInstanceProfiles(_ context.Context, in *iam.ListInstanceProfilesInput) (*iam.ListInstanceProfilesOutput, error) {
	found := s.profilesThat(func(p instanceProfile) bool { return strings.HasPrefix(p.Path, deref(in.PathPrefix, "/")) })
	cut, more, next, err := page(found, func(p instanceProfile) string { return strings.ToLower(p.Name) }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListInstanceProfilesOutput{IsTruncated: more, Marker: next}
	for _, p := range cut {
		out.InstanceProfiles = append(out.InstanceProfiles, *s.describeProfile(p))
	}
	return out, nil
}

// listInstanceProfilesForRole: codes ValidationError, NoSuchEntity.
func (s *IAM) listInstanceProfilesForRole(_ context.Context, in *iam.ListInstanceProfilesForRoleInput) (*iam.ListInstanceProfilesForRoleOutput, error) {
	r, err := s.find(in.RoleName)
	if err != nil {
		return nil, err
	}
	found := s.profilesThat(func(p instanceProfile) bool { return strings.EqualFold(p.Role, r.Name) })
	cut, more, next, err := page(found, func(p instanceProfile) string { return strings.ToLower(p.Name) }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListInstanceProfilesForRoleOutput{IsTruncated: more, Marker: next}
	for _, p := range cut {
		out.InstanceProfiles = append(out.InstanceProfiles, *s.describeProfile(p))
	}
	return out, nil
}

func (s *IAM) profilesThat(fit func(instanceProfile) bool) []instanceProfile {
	var out []instanceProfile
	for _, p := range s.profiles.List("") {
		if fit(p) {
			out = append(out, p)
		}
	}
	return out
}
