package ssm

import (
	"context"
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"neargate/internal/model"
	"neargate/internal/secrets"
)

// getParameter: codes ValidationException, ParameterNotFound,
// ParameterVersionNotFound.
func (s *service) getParameter(_ context.Context, in *sdk.GetParameterInput) (*sdk.GetParameterOutput, error) {
	name, err := parameterName(in.Name)
	if err != nil {
		return nil, err
	}
	n, err := s.parameters.Get(name)
	if err != nil {
		return nil, err
	}
	p, err := s.parameter(n, aws.ToBool(in.WithDecryption))
	if err != nil {
		return nil, err
	}
	return &sdk.GetParameterOutput{Parameter: &p}, nil
}

// getParameters: code ValidationException.
func (s *service) getParameters(_ context.Context, in *sdk.GetParametersInput) (*sdk.GetParametersOutput, error) {
	if err := names(in.Names); err != nil {
		return nil, err
	}
	out := &sdk.GetParametersOutput{Parameters: []types.Parameter{}, InvalidParameters: []string{}}
	for _, name := range in.Names {
		n, err := s.parameters.Get(name)
		if model.KindOf(err) == model.NotFound {
			out.InvalidParameters = append(out.InvalidParameters, name)
			continue
		}
		if err != nil {
			return nil, err
		}
		p, err := s.parameter(n, aws.ToBool(in.WithDecryption))
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, p)
	}
	return out, nil
}

func (s *service) parameter(n secrets.Named, decrypt bool) (types.Parameter, error) {
	value, err := s.value(n, decrypt)
	if err != nil {
		return types.Parameter{}, err
	}
	return types.Parameter{
		ARN: aws.String(n.Parameter.ARN), Name: aws.String(n.Parameter.Name), Type: types.ParameterType(n.Version.Type), Value: aws.String(value),
		Version: n.Version.Number, DataType: aws.String(n.Version.DataType), LastModifiedDate: modified(n.Version), Selector: text(n.Selector),
	}, nil
}

// value returns a version's value; that of a SecureString as it is kept, unless
// it is to be decrypted.
func (s *service) value(n secrets.Named, decrypt bool) (string, error) {
	if n.Version.Type == secrets.Secure && !decrypt {
		return base64.StdEncoding.EncodeToString(n.Version.Sealed), nil
	}
	return s.parameters.Value(n)
}
