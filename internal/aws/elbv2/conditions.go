package elbv2

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// readConditions checks the conditions of a rule: at most one of the kinds that
// stand once, at most 5 values and 5 wildcards in all.
func readConditions(in []types.RuleCondition) ([]model.Condition, error) {
	if len(in) == 0 {
		return nil, invalid("A rule must have at least one condition")
	}
	var out []model.Condition
	values, wildcards := 0, 0
	for _, c := range in {
		m, err := readCondition(c)
		if err != nil {
			return nil, err
		}
		once := m.Field != "http-header" && m.Field != "query-string"
		if once && slices.ContainsFunc(out, func(o model.Condition) bool { return o.Field == m.Field }) {
			return nil, invalid("A rule can only have one '%s' condition", m.Field)
		}
		v, w := weigh(m)
		values, wildcards = values+v, wildcards+w
		out = append(out, m)
	}
	if values > maxConditions {
		return nil, invalid("A rule can only have '%d' condition values", maxConditions)
	}
	if wildcards > maxConditions {
		return nil, invalid("A rule can only have '%d' condition wildcards", maxConditions)
	}
	return out, nil
}

func readCondition(c types.RuleCondition) (model.Condition, error) {
	m := model.Condition{Field: aws.ToString(c.Field)}
	if len(c.RegexValues) > 0 || regexes(c) {
		return m, notHere("Regular expressions in conditions are not supported here")
	}
	switch m.Field {
	case "host-header":
		if m.Values = c.Values; c.HostHeaderConfig != nil {
			m.Values = union(c.Values, c.HostHeaderConfig.Values)
		}
	case "path-pattern":
		if m.Values = c.Values; c.PathPatternConfig != nil {
			m.Values = union(c.Values, c.PathPatternConfig.Values)
		}
	case "http-header":
		if h := c.HttpHeaderConfig; h != nil {
			m.HeaderName, m.Values = aws.ToString(h.HttpHeaderName), h.Values
		}
	case "http-request-method":
		if r := c.HttpRequestMethodConfig; r != nil {
			m.Values = r.Values
		}
	case "source-ip":
		if i := c.SourceIpConfig; i != nil {
			m.Values = i.Values
		}
	case "query-string":
		if q := c.QueryStringConfig; q != nil {
			for _, p := range q.Values {
				m.Query = append(m.Query, model.Tag{Key: aws.ToString(p.Key), Value: aws.ToString(p.Value)})
			}
		}
	default:
		return m, invalid("Condition field '%s' must be one of '[path-pattern, host-header, http-header, http-request-method, query-string, source-ip]'", m.Field)
	}
	return m, checkCondition(m)
}

// union joins the values of the two forms in which a host or path condition
// may come; an answer of ours, sent back, has both.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func regexes(c types.RuleCondition) bool {
	return c.HostHeaderConfig != nil && len(c.HostHeaderConfig.RegexValues) > 0 ||
		c.PathPatternConfig != nil && len(c.PathPatternConfig.RegexValues) > 0 ||
		c.HttpHeaderConfig != nil && len(c.HttpHeaderConfig.RegexValues) > 0
}

func checkCondition(m model.Condition) error {
	if len(m.Values)+len(m.Query) == 0 {
		return invalid("A condition value must be specified for '%s'", m.Field)
	}
	if m.Field == "http-header" && (m.HeaderName == "" || len(m.HeaderName) > 40 || !printable(m.HeaderName)) {
		return invalid("HTTP header name '%s' must have 1 to 40 characters", m.HeaderName)
	}
	for _, q := range m.Query {
		if q.Value == "" || len(q.Value) > 128 || len(q.Key) > 128 {
			return invalid("Query string condition '%s=%s' must have a value, and at most 128 characters in each part", q.Key, q.Value)
		}
	}
	for _, v := range m.Values {
		if v == "" || len(v) > 128 {
			return invalid("Condition value '%s' must have 1 to 128 characters", v)
		}
		if err := checkValue(m.Field, v); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(field, v string) error {
	switch field {
	case "source-ip":
		if _, err := netip.ParsePrefix(v); err != nil {
			return invalid("Source IP '%s' must be in CIDR format", v)
		}
	case "http-request-method":
		if len(v) > 40 || strings.ContainsFunc(v, func(r rune) bool { return (r < 'A' || r > 'Z') && r != '-' && r != '_' }) {
			return invalid("HTTP request method '%s' must have at most 40 characters of A-Z, hyphen (-) and underscore (_)", v)
		}
	case "path-pattern":
		if !printable(v) {
			return invalid("Path pattern '%s' contains invalid characters", v)
		}
	}
	return nil
}

// weigh counts the values and the wildcards of a condition.
func weigh(m model.Condition) (values, wildcards int) {
	count := func(s string) { wildcards += strings.Count(s, "*") + strings.Count(s, "?") }
	for _, q := range m.Query {
		count(q.Key)
		count(q.Value)
	}
	for _, v := range m.Values {
		count(v)
	}
	return len(m.Values) + len(m.Query), wildcards
}

// showConditions is conditions in the API's shape. Host and path conditions
// show their values in both forms.
func showConditions(in []model.Condition) []types.RuleCondition {
	out := make([]types.RuleCondition, len(in))
	for i, m := range in {
		c := types.RuleCondition{Field: aws.String(m.Field)}
		switch m.Field {
		case "host-header":
			c.Values, c.HostHeaderConfig = m.Values, &types.HostHeaderConditionConfig{Values: m.Values}
		case "path-pattern":
			c.Values, c.PathPatternConfig = m.Values, &types.PathPatternConditionConfig{Values: m.Values}
		case "http-header":
			c.HttpHeaderConfig = &types.HttpHeaderConditionConfig{HttpHeaderName: aws.String(m.HeaderName), Values: m.Values}
		case "http-request-method":
			c.HttpRequestMethodConfig = &types.HttpRequestMethodConditionConfig{Values: m.Values}
		case "source-ip":
			c.SourceIpConfig = &types.SourceIpConditionConfig{Values: m.Values}
		case "query-string":
			c.QueryStringConfig = &types.QueryStringConditionConfig{}
			for _, q := range m.Query {
				c.QueryStringConfig.Values = append(c.QueryStringConfig.Values,
					types.QueryStringKeyValuePair{Key: optional(q.Key), Value: aws.String(q.Value)})
			}
		}
		out[i] = c
	}
	return out
}
