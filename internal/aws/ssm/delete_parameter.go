package ssm

import (
	"context"
	"fmt"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"

	"neargate/internal/model"
)

// number is a version as text that sorts as numbers do.
func number(n int64) string { return fmt.Sprintf("%019d", n) }

// deleteParameter: codes ValidationException, ParameterNotFound.
func (s *service) deleteParameter(ctx context.Context, in *sdk.DeleteParameterInput) (*sdk.DeleteParameterOutput, error) {
	name, err := parameterName(in.Name)
	if err != nil {
		return nil, err
	}
	deleted, err := s.parameters.Delete(ctx, name)
	if err == nil && len(deleted) == 0 {
		err = model.Errorf(model.NotFound, "ParameterNotFound", "")
	}
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteParameterOutput{}, nil
}

// deleteParameters: code ValidationException.
func (s *service) deleteParameters(ctx context.Context, in *sdk.DeleteParametersInput) (*sdk.DeleteParametersOutput, error) {
	if err := names(in.Names); err != nil {
		return nil, err
	}
	deleted, err := s.parameters.Delete(ctx, in.Names...)
	if err != nil {
		return nil, err
	}
	out := &sdk.DeleteParametersOutput{DeletedParameters: deleted, InvalidParameters: []string{}}
	for _, name := range in.Names {
		if !slices.Contains(deleted, name) {
			out.InvalidParameters = append(out.InvalidParameters, name)
		}
	}
	return out, nil
}
