package ecs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// describeTaskDefinition: codes ClientException.
func (s *service) describeTaskDefinition(_ context.Context, in *ecs.DescribeTaskDefinitionInput) (*ecs.DescribeTaskDefinitionOutput, error) {
	def, ok := s.ecs.TaskDefinition(aws.ToString(in.TaskDefinition))
	if !ok {
		return nil, client("Unable to describe task definition.")
	}
	described, err := s.taskDefinition(def)
	if err != nil {
		return nil, err
	}
	out := &ecs.DescribeTaskDefinitionOutput{TaskDefinition: described}
	if slices.Contains(in.Include, types.TaskDefinitionFieldTags) {
		out.Tags = tagsOf(def.Tags)
	}
	return out, nil
}

// deregisterTaskDefinition: codes ClientException, InvalidParameterException.
func (s *service) deregisterTaskDefinition(ctx context.Context, in *ecs.DeregisterTaskDefinitionInput) (*ecs.DeregisterTaskDefinitionOutput, error) {
	def, err := s.ecs.DeregisterTaskDefinition(ctx, aws.ToString(in.TaskDefinition))
	if err != nil {
		return nil, err
	}
	out, err := s.taskDefinition(def)
	if err != nil {
		return nil, err
	}
	return &ecs.DeregisterTaskDefinitionOutput{TaskDefinition: out}, nil
}

// deleteTaskDefinitions: codes InvalidParameterException; what cannot be
// deleted is a failure.
func (s *service) deleteTaskDefinitions(ctx context.Context, in *ecs.DeleteTaskDefinitionsInput) (*ecs.DeleteTaskDefinitionsOutput, error) {
	if n := len(in.TaskDefinitions); n == 0 || n > 10 {
		return nil, invalid("You can specify between 1 and 10 task definitions.")
	}
	out := &ecs.DeleteTaskDefinitionsOutput{TaskDefinitions: []types.TaskDefinition{}, Failures: []types.Failure{}}
	for _, ref := range in.TaskDefinitions {
		def, err := s.ecs.DeleteTaskDefinition(ctx, ref)
		if refused, ok := errors.AsType[*model.Error](err); ok {
			out.Failures = append(out.Failures, types.Failure{Arn: aws.String(ref), Reason: aws.String(refused.Msg)})
			continue
		}
		if err != nil {
			return nil, err
		}
		deleted, err := s.taskDefinition(def)
		if err != nil {
			return nil, err
		}
		out.TaskDefinitions = append(out.TaskDefinitions, *deleted)
	}
	return out, nil
}

// listTaskDefinitions: codes InvalidParameterException.
func (s *service) listTaskDefinitions(_ context.Context, in *ecs.ListTaskDefinitionsInput) (*ecs.ListTaskDefinitionsOutput, error) {
	status := model.Status(cmp.Or(in.Status, types.TaskDefinitionStatusActive))
	var defs []model.TaskDefinition
	for _, def := range s.ecs.TaskDefinitions() { // by family and revision
		if def.Status == status && (in.FamilyPrefix == nil || def.Family == *in.FamilyPrefix) {
			defs = append(defs, def)
		}
	}
	place := func(i int) string { return fmt.Sprintf("%08d", i) }
	if in.Sort == types.SortOrderDesc {
		slices.Reverse(defs)
	}
	at := make([]int, len(defs)) // a page begins after a place, as ARNs do not sort by revision
	for i := range at {
		at[i] = i
	}
	at, next, err := page(at, place, pageRequest{in.NextToken, in.MaxResults, 100})
	if err != nil {
		return nil, err
	}
	out := &ecs.ListTaskDefinitionsOutput{TaskDefinitionArns: []string{}, NextToken: next}
	for _, i := range at {
		out.TaskDefinitionArns = append(out.TaskDefinitionArns, defs[i].ARN)
	}
	return out, nil
}

// listTaskDefinitionFamilies: codes InvalidParameterException.
func (s *service) listTaskDefinitionFamilies(_ context.Context, in *ecs.ListTaskDefinitionFamiliesInput) (*ecs.ListTaskDefinitionFamiliesOutput, error) {
	active := map[string]bool{}
	for _, def := range s.ecs.TaskDefinitions() {
		active[def.Family] = active[def.Family] || def.Status == model.Active
	}
	var families []string
	for family, isActive := range active {
		switch {
		case !strings.HasPrefix(family, aws.ToString(in.FamilyPrefix)):
		case in.Status == types.TaskDefinitionFamilyStatusActive && !isActive:
		case in.Status == types.TaskDefinitionFamilyStatusInactive && isActive:
		default:
			families = append(families, family)
		}
	}
	slices.Sort(families)
	families, next, err := page(families, self, pageRequest{in.NextToken, in.MaxResults, 100})
	if err != nil {
		return nil, err
	}
	return &ecs.ListTaskDefinitionFamiliesOutput{Families: families, NextToken: next}, nil
}
