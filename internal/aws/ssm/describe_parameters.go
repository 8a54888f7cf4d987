package ssm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"neargate/internal/aws/wire"
	"neargate/internal/secrets"
)

// describeParameters: codes ValidationException, InvalidNextToken,
// InvalidFilterKey, InvalidFilterOption.
func (s *service) describeParameters(_ context.Context, in *sdk.DescribeParametersInput) (*sdk.DescribeParametersOutput, error) {
	var c wire.Checks
	limit := c.Range("maxResults", in.MaxResults, 1, 50, 10)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	filters := in.ParameterFilters
	if len(in.Filters) > 0 && len(filters) > 0 {
		return nil, invalid("You can use either Filters or ParameterFilters in a single request.")
	}
	for _, f := range in.Filters { // the older form
		filters = append(filters, types.ParameterStringFilter{Key: aws.String(string(f.Key)), Option: aws.String("BeginsWith"), Values: f.Values})
	}
	var found []secrets.Parameter
	for _, p := range s.parameters.List("") {
		wanted, err := matches(p, filters)
		if err != nil {
			return nil, err
		}
		if wanted {
			found = append(found, p)
		}
	}
	page, next, ok := wire.Page(found, func(p secrets.Parameter) string { return p.Name }, aws.ToString(in.NextToken), int(limit))
	if !ok {
		return nil, errToken()
	}
	out := &sdk.DescribeParametersOutput{Parameters: []types.ParameterMetadata{}, NextToken: text(next)}
	for _, p := range page {
		v := p.Newest()
		out.Parameters = append(out.Parameters, types.ParameterMetadata{
			ARN: aws.String(p.ARN), Name: aws.String(p.Name), Type: types.ParameterType(v.Type), Tier: types.ParameterTier(v.Tier), Version: v.Number,
			DataType: aws.String(v.DataType), KeyId: text(v.KeyID), Description: text(v.Description), AllowedPattern: text(v.AllowedPattern),
			LastModifiedDate: modified(v), LastModifiedUser: text(v.ModifiedBy), Policies: []types.ParameterInlinePolicy{},
		})
	}
	return out, nil
}

// getParameterHistory: codes ValidationException, ParameterNotFound,
// InvalidNextToken.
func (s *service) getParameterHistory(_ context.Context, in *sdk.GetParameterHistoryInput) (*sdk.GetParameterHistoryOutput, error) {
	var c wire.Checks
	name := c.Text("name", in.Name, 1, 2048)
	limit := c.Range("maxResults", in.MaxResults, 1, 50, 50)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	n, err := s.parameters.Get(name)
	if err != nil {
		return nil, err
	}
	p := n.Parameter
	page, next, ok := wire.Page(p.Versions, func(v secrets.ParameterVersion) string { return number(v.Number) }, aws.ToString(in.NextToken), int(limit))
	if !ok {
		return nil, errToken()
	}
	out := &sdk.GetParameterHistoryOutput{Parameters: []types.ParameterHistory{}, NextToken: text(next)}
	for _, v := range page {
		value, err := s.value(secrets.Named{Parameter: p, Version: v}, aws.ToBool(in.WithDecryption))
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, types.ParameterHistory{
			Name: aws.String(p.Name), Type: types.ParameterType(v.Type), Tier: types.ParameterTier(v.Tier), Version: v.Number, Value: aws.String(value),
			DataType: aws.String(v.DataType), KeyId: text(v.KeyID), Description: text(v.Description), AllowedPattern: text(v.AllowedPattern),
			LastModifiedDate: modified(v), LastModifiedUser: text(v.ModifiedBy), Labels: append([]string{}, v.Labels...),
			Policies: []types.ParameterInlinePolicy{},
		})
	}
	return out, nil
}
