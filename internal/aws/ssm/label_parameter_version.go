package ssm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"

	"neargate/internal/aws/wire"
)

// labels checks what both calls about labels must give. ValidationException.
func labels(name *string, in []string) error {
	var c wire.Checks
	c.Text("name", name, 1, 2048)
	if len(in) == 0 || len(in) > 10 {
		c.Fail("labels", "'…'", "Member must have length from 1 to 10")
	}
	return c.Err(validation)
}

// labelParameterVersion: codes ValidationException, ParameterNotFound,
// ParameterVersionNotFound, ParameterVersionLabelLimitExceeded.
func (s *service) labelParameterVersion(ctx context.Context, in *sdk.LabelParameterVersionInput) (*sdk.LabelParameterVersionOutput, error) {
	if err := labels(in.Name, in.Labels); err != nil {
		return nil, err
	}
	version, unfit, err := s.parameters.Label(ctx, *in.Name, aws.ToInt64(in.ParameterVersion), in.Labels)
	if err != nil {
		return nil, err
	}
	return &sdk.LabelParameterVersionOutput{ParameterVersion: version, InvalidLabels: append([]string{}, unfit...)}, nil
}

// unlabelParameterVersion: codes ValidationException, ParameterNotFound,
// ParameterVersionNotFound.
func (s *service) unlabelParameterVersion(ctx context.Context, in *sdk.UnlabelParameterVersionInput) (*sdk.UnlabelParameterVersionOutput, error) {
	if err := labels(in.Name, in.Labels); err != nil {
		return nil, err
	}
	if in.ParameterVersion == nil {
		return nil, invalid("1 validation error detected: Value null at 'parameterVersion' failed to satisfy constraint: Member must not be null")
	}
	removed, unfit, err := s.parameters.Unlabel(ctx, *in.Name, *in.ParameterVersion, in.Labels)
	if err != nil {
		return nil, err
	}
	return &sdk.UnlabelParameterVersionOutput{RemovedLabels: append([]string{}, removed...), InvalidLabels: append([]string{}, unfit...)}, nil
}
