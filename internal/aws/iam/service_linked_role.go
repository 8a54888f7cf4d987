package iam

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"neargate/internal/model"
)

// linked is what AWS gives the role that a service makes for itself.
type linked struct {
	role, policy string
}

// linkedRole returns the service-linked role of a service that runs here.
func linkedRole(service string) (linked, bool) {
	l, ok := map[string]linked{
		"ecs.amazonaws.com":                         {"AWSServiceRoleForECS", "AmazonECSServiceRolePolicy"},
		"ecs.application-autoscaling.amazonaws.com": {"AWSServiceRoleForApplicationAutoScaling_ECSService", "AWSApplicationAutoscalingECSServicePolicy"},
		"elasticloadbalancing.amazonaws.com":        {"AWSServiceRoleForElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy"},
	}[service]
	return l, ok
}

// deletion is the record of a deleted service-linked role, by task id.
type deletion struct {
	ID, Role string
}

// createServiceLinkedRole makes a service's role. Errors: ValidationError,
// InvalidInput.
func (s *IAM) createServiceLinkedRole(ctx context.Context, in *iam.CreateServiceLinkedRoleInput) (*iam.CreateServiceLinkedRoleOutput, error) {
	if in.AWSServiceName == nil {
		return nil, missing("awsServiceName")
	}
	service := *in.AWSServiceName
	link, ok := linkedRole(service)
	if !ok {
		return nil, model.Errorf(model.Invalid, "InvalidInput", "Service %s does not have a service-linked role here.", service)
	}
	if in.CustomSuffix != nil {
		return nil, model.Errorf(model.Invalid, "InvalidInput", "Custom suffix is not allowed for %s", service)
	}
	r := role{
		Name: link.role, Path: "/aws-service-role/" + service + "/", ID: newID("AROA"), Service: service,
		Description: deref(in.Description, ""), MaxSession: 3600, CreatedAt: s.now(),
		Trust:    `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`,
		Attached: []string{awsPolicies + "aws-service-role/" + link.policy},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.roles.Get(strings.ToLower(r.Name)); exists {
		return nil, model.Errorf(model.Invalid, "InvalidInput", "Service role name %s has been taken in this account, please try a different suffix.", r.Name)
	}
	if err := s.putLocked(ctx, r); err != nil {
		return nil, err
	}
	return &iam.CreateServiceLinkedRoleOutput{Role: s.describe(r)}, nil
}

// deleteServiceLinkedRole removes a service's role at once; AWS takes a while.
// Errors: ValidationError, NoSuchEntity, InvalidInput.
func (s *IAM) deleteServiceLinkedRole(ctx context.Context, in *iam.DeleteServiceLinkedRoleInput) (*iam.DeleteServiceLinkedRoleOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.find(in.RoleName)
	if err != nil {
		return nil, err
	}
	if r.Service == "" {
		return nil, model.Errorf(model.Invalid, "InvalidInput", "Role %s is not a service-linked role.", r.Name)
	}
	d := deletion{ID: "task" + r.Path + r.Name + "/" + strings.ToLower(rand.Text()), Role: r.Name}
	if err := s.deletions.Put(ctx, d.ID, d); err != nil {
		return nil, fmt.Errorf("keep deletion of role %s: %w", r.Name, err)
	}
	if _, err := s.roles.Delete(ctx, strings.ToLower(r.Name)); err != nil {
		return nil, fmt.Errorf("delete role %s: %w", r.Name, err)
	}
	return &iam.DeleteServiceLinkedRoleOutput{DeletionTaskId: aws.String(d.ID)}, nil
}

// getServiceLinkedRoleDeletionStatus reports how a deletion went. Errors:
// ValidationError, NoSuchEntity.
func (s *IAM) getServiceLinkedRoleDeletionStatus(_ context.Context, in *iam.GetServiceLinkedRoleDeletionStatusInput) (*iam.GetServiceLinkedRoleDeletionStatusOutput, error) {
	if in.DeletionTaskId == nil {
		return nil, missing("deletionTaskId")
	}
	if _, ok := s.deletions.Get(*in.DeletionTaskId); !ok {
		return nil, model.Errorf(model.NotFound, "NoSuchEntity", "The deletion task with id %s cannot be found.", *in.DeletionTaskId)
	}
	return &iam.GetServiceLinkedRoleDeletionStatusOutput{Status: types.DeletionTaskStatusTypeSucceeded}, nil
}
