package elbv2

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

// readActions checks the actions of a rule: exactly one that ends it, and before it
// an authentication at most. They come back in their order.
func (s *service) readActions(in []types.Action) ([]model.Action, error) {
	if len(in) == 0 {
		return nil, invalid("A listener or rule must have an action")
	}
	out := make([]model.Action, len(in))
	for i, a := range in {
		var err error
		if out[i], err = readAction(a); err != nil {
			return nil, err
		}
	}
	if err := checkOrder(out); err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b model.Action) int { return a.Order - b.Order })
	return out, s.checkSticky(out)
}

// checkOrder wants one action that ends the rule, and it last.
func checkOrder(actions []model.Action) error {
	gates, ends, gate, end := 0, 0, 0, 0
	for _, a := range actions {
		if a.JWT != nil {
			gates, gate = gates+1, a.Order
		} else {
			ends, end = ends+1, a.Order
		}
	}
	switch {
	case ends > 1:
		return badAction("Only one of the actions 'forward', 'redirect' and 'fixed-response' can be specified for a rule")
	case gates > 1:
		return badAction("Only one of the actions 'authenticate-oidc', 'authenticate-cognito' and 'jwt-validation' can be specified for a rule")
	case ends == 0:
		return badAction("The last action of a rule must be one of 'forward', 'redirect' and 'fixed-response'")
	case gates == 1 && gate == end:
		return badAction("The order of each action of a rule must be unique")
	case gates == 1 && gate > end:
		return badAction("The last action of a rule must be one of 'forward', 'redirect' and 'fixed-response'")
	}
	return nil
}

func badAction(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidLoadBalancerAction", format, args...)
}

func readAction(in types.Action) (a model.Action, err error) {
	a.Type = string(in.Type)
	if a.Order, err = number("order", in.Order, 1, 50000, 1); err != nil {
		return a, err
	}
	switch in.Type {
	case types.ActionTypeEnumForward:
		if a.Forward, err = readForward(in); err == nil && in.ForwardConfig != nil {
			a.Sticky, err = readGroupStickiness(in.ForwardConfig.TargetGroupStickinessConfig)
		}
	case types.ActionTypeEnumRedirect:
		a.Redirect, err = readRedirect(in.RedirectConfig)
	case types.ActionTypeEnumFixedResponse:
		a.Fixed, err = readFixed(in.FixedResponseConfig)
	case types.ActionTypeEnumJwtValidation:
		a.JWT, err = readJWT(in.JwtValidationConfig)
	case types.ActionTypeEnumAuthenticateOidc, types.ActionTypeEnumAuthenticateCognito:
		err = notHere("Actions of type '%s' are not supported here", in.Type)
	default:
		err = invalid("Action type '%s' must be one of 'forward,authenticate-oidc,authenticate-cognito,redirect,fixed-response,jwt-validation'", in.Type)
	}
	return a, err
}

func readForward(in types.Action) ([]model.WeightedTargetGroup, error) {
	single := aws.ToString(in.TargetGroupArn)
	if in.ForwardConfig == nil || len(in.ForwardConfig.TargetGroups) == 0 {
		if single == "" {
			return nil, invalid("A target group ARN must be specified")
		}
		return []model.WeightedTargetGroup{{TargetGroupARN: single, Weight: 1}}, nil
	}
	groups := in.ForwardConfig.TargetGroups
	if len(groups) > maxGroupsPerRule {
		return nil, model.Errorf(model.Throttled, "TooManyTargetGroups", "The maximum number of target groups per action is %d", maxGroupsPerRule)
	}
	if single != "" && (len(groups) > 1 || aws.ToString(groups[0].TargetGroupArn) != single) {
		return nil, invalid("You cannot specify both a target group ARN and a different forward config")
	}
	var out []model.WeightedTargetGroup
	for _, g := range groups {
		weight, err := number("weight", g.Weight, 0, 999, 1)
		if err != nil {
			return nil, err
		}
		arn := aws.ToString(g.TargetGroupArn)
		if arn == "" {
			return nil, invalid("A target group ARN must be specified")
		}
		if slices.ContainsFunc(out, func(o model.WeightedTargetGroup) bool { return o.TargetGroupARN == arn }) {
			return nil, invalid("Target group '%s' is specified more than once in an action", arn)
		}
		out = append(out, model.WeightedTargetGroup{TargetGroupARN: arn, Weight: weight})
	}
	return out, nil
}

func readRedirect(in *types.RedirectActionConfig) (*model.Redirect, error) {
	if in == nil {
		return nil, invalid("A redirect config must be specified")
	}
	text := func(v *string, otherwise string) string {
		if v == nil {
			return otherwise
		}
		return *v
	}
	r := &model.Redirect{
		Protocol: text(in.Protocol, "#{protocol}"), Host: text(in.Host, "#{host}"), Port: text(in.Port, "#{port}"),
		Path: text(in.Path, "/#{path}"), Query: text(in.Query, "#{query}"),
	}
	switch in.StatusCode {
	case types.RedirectActionStatusCodeEnumHttp301:
		r.StatusCode = 301
	case types.RedirectActionStatusCodeEnumHttp302:
		r.StatusCode = 302
	default:
		return nil, invalid("Redirect status code '%s' must be one of 'HTTP_301,HTTP_302'", in.StatusCode)
	}
	return r, checkRedirect(r)
}

// checkProtocol refuses that a listener of HTTPS leads back to HTTP
// (load-balancer-listeners, "Redirect actions"), and that one of HTTP takes
// what is secret.
func checkProtocol(protocol string, actions []model.Action) error {
	for _, a := range actions {
		if protocol != "HTTPS" && a.JWT != nil {
			return badAction("Actions of type '%s' are only supported on HTTPS listeners", a.Type)
		}
		if protocol == "HTTPS" && a.Redirect != nil && a.Redirect.Protocol == "HTTP" {
			return badAction("You cannot redirect HTTPS to HTTP")
		}
	}
	return nil
}

func checkRedirect(r *model.Redirect) error {
	n, err := strconv.Atoi(r.Port)
	word, in, known := routing.Keyword(*r)
	same := r.Host == "#{host}" && r.Path == "/#{path}" && r.Port == "#{port}" && r.Protocol == "#{protocol}" && r.Query == "#{query}"
	switch {
	case !known:
		return invalid("Redirect %s contains the keyword '%s', which is not valid there", in, word)
	case !slices.Contains([]string{"HTTP", "HTTPS", "#{protocol}"}, r.Protocol):
		return invalid("Redirect protocol '%s' must be 'HTTP', 'HTTPS' or '#{protocol}'", r.Protocol)
	case r.Port != "#{port}" && (err != nil || n < 1 || n > 65535):
		return invalid("Redirect port '%s' must be in the range 1-65535 or '#{port}'", r.Port)
	case r.Host == "" || len(r.Host) > 128 || !printable(r.Host):
		return invalid("Redirect host '%s' must have 1 to 128 characters", r.Host)
	case !strings.HasPrefix(r.Path, "/") || len(r.Path) > 128 || !printable(r.Path):
		return invalid("Redirect path '%s' must begin with '/' and have at most 128 characters", r.Path)
	case len(r.Query) > 128 || !printable(r.Query):
		return invalid("Redirect query '%s' must have at most 128 characters", r.Query)
	case same:
		return badAction("The redirect configuration is not valid because it creates a loop.")
	}
	return nil
}

func readFixed(in *types.FixedResponseActionConfig) (*model.FixedResponse, error) {
	if in == nil {
		return nil, invalid("A fixed response config must be specified")
	}
	code, err := strconv.Atoi(aws.ToString(in.StatusCode))
	class := code / 100
	kinds := []string{"text/plain", "text/css", "text/html", "application/javascript", "application/json"}
	switch {
	case err != nil || len(*in.StatusCode) != 3 || class != 2 && class != 4 && class != 5:
		return nil, invalid("Fixed response status code '%s' must match ^(2|4|5)\\d\\d$", aws.ToString(in.StatusCode))
	case in.ContentType != nil && !slices.Contains(kinds, *in.ContentType):
		return nil, invalid("Fixed response content type '%s' must be one of '%s'", *in.ContentType, strings.Join(kinds, ","))
	case len(aws.ToString(in.MessageBody)) > 1024:
		return nil, invalid("Fixed response message body must have at most 1024 characters")
	}
	return &model.FixedResponse{StatusCode: code, ContentType: aws.ToString(in.ContentType), Body: aws.ToString(in.MessageBody)}, nil
}

// showActions is actions in the API's shape. A forward action to one target
// group shows it in both forms.
func showActions(in []model.Action) []types.Action {
	out := make([]types.Action, len(in))
	for i, a := range in {
		out[i] = types.Action{Type: types.ActionTypeEnum(a.Type), Order: aws.Int32(int32(a.Order))}
		switch {
		case a.JWT != nil:
			out[i].JwtValidationConfig = showJWT(a.JWT)
		case a.Redirect != nil:
			out[i].RedirectConfig = showRedirect(a.Redirect)
		case a.Fixed != nil:
			out[i].FixedResponseConfig = &types.FixedResponseActionConfig{
				StatusCode: aws.String(strconv.Itoa(a.Fixed.StatusCode)), ContentType: optional(a.Fixed.ContentType), MessageBody: optional(a.Fixed.Body),
			}
		default:
			out[i].ForwardConfig = &types.ForwardActionConfig{TargetGroupStickinessConfig: showGroupStickiness(a.Sticky)}
			for _, w := range a.Forward {
				out[i].ForwardConfig.TargetGroups = append(out[i].ForwardConfig.TargetGroups,
					types.TargetGroupTuple{TargetGroupArn: aws.String(w.TargetGroupARN), Weight: aws.Int32(int32(w.Weight))})
			}
			if len(a.Forward) == 1 {
				out[i].TargetGroupArn = aws.String(a.Forward[0].TargetGroupARN)
			}
		}
	}
	return out
}

func showRedirect(r *model.Redirect) *types.RedirectActionConfig {
	return &types.RedirectActionConfig{
		StatusCode: types.RedirectActionStatusCodeEnum("HTTP_" + strconv.Itoa(r.StatusCode)),
		Protocol:   aws.String(r.Protocol), Host: aws.String(r.Host), Port: aws.String(r.Port),
		Path: aws.String(r.Path), Query: aws.String(r.Query),
	}
}
