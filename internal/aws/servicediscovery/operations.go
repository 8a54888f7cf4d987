package servicediscovery

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"neargate/internal/discovery"
)

// getOperation: codes InvalidInput, OperationNotFound.
func (s *service) getOperation(_ context.Context, in *sdk.GetOperationInput) (*sdk.GetOperationOutput, error) {
	id, err := identifier("operationId", in.OperationId)
	if err != nil {
		return nil, err
	}
	op, err := s.directory.Operation(id)
	if err != nil {
		return nil, err
	}
	return &sdk.GetOperationOutput{Operation: &types.Operation{
		Id: aws.String(op.ID), Type: types.OperationType(op.Type), Status: types.OperationStatusSuccess, Targets: op.Targets,
		CreateDate: aws.Time(op.At), UpdateDate: aws.Time(op.At), OwnerAccount: aws.String(s.place.Account),
	}}, nil
}

// listOperations: code InvalidInput.
func (s *service) listOperations(_ context.Context, in *sdk.ListOperationsInput) (*sdk.ListOperationsOutput, error) {
	all := s.directory.Operations()
	for _, f := range in.Filters {
		keep := condition{f.Condition, f.Values}
		holds := map[types.OperationFilterName]func(discovery.Operation) bool{
			types.OperationFilterNameNamespaceId: func(op discovery.Operation) bool { return keep.holds(op.Targets[discovery.TargetNamespace]) },
			types.OperationFilterNameServiceId:   func(op discovery.Operation) bool { return keep.holds(op.Targets[discovery.TargetService]) },
			types.OperationFilterNameStatus:      func(discovery.Operation) bool { return keep.holds(string(types.OperationStatusSuccess)) },
			types.OperationFilterNameType:        func(op discovery.Operation) bool { return keep.holds(op.Type) },
			types.OperationFilterNameUpdateDate:  func(op discovery.Operation) bool { return between(op, f.Values) },
		}[f.Name]
		if holds == nil {
			return nil, invalid("%s is not a valid name of a filter", f.Name)
		}
		all = slices.DeleteFunc(all, func(op discovery.Operation) bool { return !holds(op) })
	}
	all, next, err := page(all, func(op discovery.Operation) string { return op.ID }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListOperationsOutput{Operations: []types.OperationSummary{}, NextToken: next}
	for _, op := range all {
		out.Operations = append(out.Operations, types.OperationSummary{Id: aws.String(op.ID), Status: types.OperationStatusSuccess})
	}
	return out, nil
}

// between reports whether an operation was between two moments, in seconds since
// 1970. API_OperationFilter, UPDATE_DATE.
func between(op discovery.Operation, values []string) bool {
	if len(values) != 2 {
		return false
	}
	from, err := strconv.ParseFloat(values[0], 64)
	if err != nil {
		return false
	}
	to, err := strconv.ParseFloat(values[1], 64)
	at := float64(op.At.Unix())
	return err == nil && from <= at && at <= to
}
