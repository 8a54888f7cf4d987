package ssm

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"neargate/internal/aws/wire"
	"neargate/internal/secrets"
)

// getParametersByPath: codes ValidationException, InvalidNextToken,
// InvalidFilterKey, InvalidFilterOption.
func (s *service) getParametersByPath(_ context.Context, in *sdk.GetParametersByPathInput) (*sdk.GetParametersByPathOutput, error) {
	var c wire.Checks
	path := c.Text("path", in.Path, 1, 2048)
	limit := c.Range("maxResults", in.MaxResults, 1, 10, 10)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(path, "/") {
		return nil, invalid(`The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "/". It can't be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.`)
	}
	var found []secrets.Parameter
	for _, p := range s.parameters.List("") {
		if !under(p.Name, path, aws.ToBool(in.Recursive)) {
			continue
		}
		wanted, err := matches(p, in.ParameterFilters)
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
	out := &sdk.GetParametersByPathOutput{Parameters: []types.Parameter{}, NextToken: text(next)}
	for _, p := range page {
		one, err := s.parameter(secrets.Named{Parameter: p, Version: p.Newest()}, aws.ToBool(in.WithDecryption))
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, one)
	}
	return out, nil
}

// under reports whether a name lies below a path: one level, or any.
func under(name, path string, recursive bool) bool {
	tail, below := strings.CutPrefix(name, strings.TrimSuffix(path, "/")+"/")
	if path == "/" && !strings.HasPrefix(name, "/") { // at the root, where names need no slash
		tail, below = name, true
	}
	return below && (recursive || !strings.Contains(tail, "/"))
}
