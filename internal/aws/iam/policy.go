package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// policy is a customer managed policy, by ARN.
type policy struct {
	ARN, Name, Path, ID, Description string
	Document                         string // of v1, where a server of before versions made the policy
	CreatedAt                        time.Time
	Tags                             []model.Tag

	Versions []policyVersion // the oldest first
	Default  string          // ID of the one in force
	Made     int             // how many versions there have been
}

// policyVersion is one of a policy's documents.
type policyVersion struct {
	ID, Document string
	CreatedAt    time.Time
}

// versioned is the policy with its versions, also where it was made before there
// were any but the first.
func (p policy) versioned() policy {
	if len(p.Versions) == 0 {
		p.Versions, p.Default, p.Made = []policyVersion{{"v1", p.Document, p.CreatedAt}}, "v1", 1
		p.Document = ""
	}
	return p
}

// createPolicy makes a managed policy. Errors: ValidationError,
// MalformedPolicyDocument, LimitExceeded, EntityAlreadyExists, InvalidInput.
func (s *IAM) createPolicy(ctx context.Context, in *iam.CreatePolicyInput) (*iam.CreatePolicyOutput, error) {
	var c wire.Checks
	p := policy{
		Name:        c.Text("policyName", in.PolicyName, 1, 128),
		Document:    c.Text("policyDocument", in.PolicyDocument, 1, 131072),
		Description: c.OptionalText("description", in.Description, 0, 1000),
		Path:        deref(in.Path, "/"),
		ID:          newID("ANPA"),
		CreatedAt:   s.now(),
	}
	if err := c.Err("ValidationError"); err != nil {
		return nil, err
	}
	if err := validName("policyName", p.Name); err != nil {
		return nil, err
	}
	if err := validPath(p.Path); err != nil {
		return nil, err
	}
	if err := checkPolicy(p.Document); err != nil {
		return nil, err
	}
	if size(p.Document) > maxPolicySize {
		return nil, model.Errorf(model.Conflict, "LimitExceeded", "Cannot exceed quota for PolicySize: %d", maxPolicySize)
	}
	var err error
	if p.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return nil, err
	}
	p = p.versioned()
	p.ARN = "arn:aws:iam::" + s.cfg.Place.Account + ":policy" + p.Path + p.Name
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.policies.List("") {
		if strings.EqualFold(other.Name, p.Name) {
			return nil, model.Errorf(model.Conflict, "EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", p.Name)
		}
	}
	if err := s.policies.Put(ctx, p.ARN, p); err != nil {
		return nil, fmt.Errorf("keep policy %s: %w", p.Name, err)
	}
	return &iam.CreatePolicyOutput{Policy: s.describePolicy(p)}, nil
}

// getPolicy reads a managed policy. Errors: ValidationError, NoSuchEntity.
func (s *IAM) getPolicy(_ context.Context, in *iam.GetPolicyInput) (*iam.GetPolicyOutput, error) {
	p, err := s.findPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	return &iam.GetPolicyOutput{Policy: s.describePolicy(p)}, nil
}

// listPolicies lists policies by ARN, AWS's managed ones as far as they are here. Errors: ValidationError.
func (s *IAM) listPolicies(_ context.Context, in *iam.ListPoliciesInput) (*iam.ListPoliciesOutput, error) {
	var c wire.Checks
	c.OneOf("scope", string(in.Scope), "All", "AWS", "Local")
	c.OneOf("policyUsageFilter", string(in.PolicyUsageFilter), "PermissionsPolicy", "PermissionsBoundary")
	if err := c.Err("ValidationError"); err != nil {
		return nil, err
	}
	var found []policy
	var all []policy
	if in.Scope != types.PolicyScopeTypeLocal {
		for _, m := range managedPolicies() {
			all = append(all, m.policy())
		}
	}
	if in.Scope != types.PolicyScopeTypeAws {
		all = append(all, s.policies.List("")...)
	}
	slices.SortFunc(all, func(a, b policy) int { return strings.Compare(a.ARN, b.ARN) })
	for _, p := range all {
		permissions, boundaries := s.uses(p.ARN)
		used := permissions > 0
		if in.PolicyUsageFilter == types.PolicyUsageTypePermissionsBoundary {
			used = boundaries > 0
		}
		wanted := strings.HasPrefix(p.Path, deref(in.PathPrefix, "/"))
		if wanted && (used || !in.OnlyAttached && in.PolicyUsageFilter == "") {
			found = append(found, p)
		}
	}
	cut, more, next, err := page(found, func(p policy) string { return p.ARN }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListPoliciesOutput{IsTruncated: more, Marker: next}
	for _, p := range cut {
		d := s.describePolicy(p)
		d.Description, d.Tags = nil, nil
		out.Policies = append(out.Policies, *d)
	}
	return out, nil
}

// deletePolicy removes a policy that nobody uses. Errors: ValidationError,
// NoSuchEntity, DeleteConflict.
func (s *IAM) deletePolicy(ctx context.Context, in *iam.DeletePolicyInput) (*iam.DeletePolicyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.findOwnPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if len(p.Versions) > 1 {
		return nil, model.Errorf(model.Conflict, "DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	if permissions, boundaries := s.uses(p.ARN); permissions+boundaries > 0 {
		return nil, model.Errorf(model.Conflict, "DeleteConflict", "Cannot delete a policy attached to entities.")
	}
	if _, err := s.policies.Delete(ctx, p.ARN); err != nil {
		return nil, fmt.Errorf("delete policy %s: %w", p.Name, err)
	}
	return &iam.DeletePolicyOutput{}, nil
}

func (s *IAM) findPolicy(arn *string) (policy, error) {
	if arn == nil {
		return policy{}, missing("policyArn")
	}
	if a, ok := model.ParseARN(*arn); !ok || a.Service != "iam" || !strings.HasPrefix(a.Resource, "policy/") {
		return policy{}, model.Errorf(model.Invalid, "ValidationError", "ARN %s is not valid.", *arn)
	}
	if p, ok := managedPolicy(*arn); ok {
		return p, nil
	}
	p, ok := s.policies.Get(*arn)
	if !ok {
		return policy{}, model.Errorf(model.NotFound, "NoSuchEntity", "Policy %s was not found.", *arn)
	}
	return p.versioned(), nil
}

// findOwnPolicy is findPolicy for what only a policy's owner may do: AWS's own
// are refused with AccessDenied.
func (s *IAM) findOwnPolicy(arn *string) (policy, error) {
	p, err := s.findPolicy(arn)
	if err == nil && strings.HasPrefix(p.ARN, awsPolicies) {
		return policy{}, model.Errorf(model.Denied, "AccessDenied", "Policy %s is managed by AWS and cannot be changed.", p.ARN)
	}
	return p, err
}

// uses counts the roles that have the policy attached, or as their boundary.
func (s *IAM) uses(arn string) (permissions, boundaries int32) {
	for _, r := range s.roles.List("") {
		if slices.Contains(r.Attached, arn) {
			permissions++
		}
		if r.Boundary == arn {
			boundaries++
		}
	}
	return permissions, boundaries
}

func (s *IAM) describePolicy(p policy) *types.Policy {
	p = p.versioned()
	permissions, boundaries := s.uses(p.ARN)
	out := &types.Policy{
		Arn: aws.String(p.ARN), PolicyName: aws.String(p.Name), PolicyId: aws.String(p.ID), Path: aws.String(p.Path),
		DefaultVersionId: aws.String(p.Default), IsAttachable: true,
		AttachmentCount: &permissions, PermissionsBoundaryUsageCount: &boundaries,
		CreateDate: aws.Time(p.CreatedAt), UpdateDate: aws.Time(p.Versions[len(p.Versions)-1].CreatedAt), Tags: tagsOut(p.Tags),
	}
	if p.Description != "" {
		out.Description = aws.String(p.Description)
	}
	return out
}
