package elbv2

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/decide/routing"
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

func readCondition(c types.RuleCondition) (m model.Condition, err error) {
	if m.Field = aws.ToString(c.Field); m.Field == "" {
		return m, invalid("A condition field must be specified")
	}
	if !slices.Contains([]string{"path-pattern", "host-header", "http-header", "http-request-method", "query-string", "source-ip"}, m.Field) {
		return m, invalid("Condition field '%s' must be one of '[path-pattern, host-header, http-header, http-request-method, query-string, source-ip]'", m.Field)
	}
	m.Values, m.Regex = c.Values, c.RegexValues
	if m.Values != nil && m.Field != "host-header" && m.Field != "path-pattern" {
		return m, invalid("You cannot specify Values for a condition of type '%s'", m.Field)
	}
	if err = readConfig(&m, c); err != nil {
		return m, err
	}
	if len(m.Regex) > 0 && len(m.Values) > 0 {
		return m, invalid("You cannot specify both Values and RegexValues for a condition of type '%s'", m.Field)
	}
	return m, checkCondition(m)
}

// readConfig reads the part of a condition that its field alone has.
func readConfig(m *model.Condition, c types.RuleCondition) error {
	switch {
	case m.Field == "host-header" && c.HostHeaderConfig != nil:
		return oneForm(m, "HostHeaderConfig", c.HostHeaderConfig.Values, c.HostHeaderConfig.RegexValues)
	case m.Field == "path-pattern" && c.PathPatternConfig != nil:
		return oneForm(m, "PathPatternConfig", c.PathPatternConfig.Values, c.PathPatternConfig.RegexValues)
	case m.Field == "http-header" && c.HttpHeaderConfig != nil:
		m.HeaderName = aws.ToString(c.HttpHeaderConfig.HttpHeaderName)
		return oneForm(m, "HttpHeaderConfig", c.HttpHeaderConfig.Values, c.HttpHeaderConfig.RegexValues)
	case len(m.Regex) > 0 && m.Field != "host-header" && m.Field != "path-pattern":
		return invalid("You cannot specify RegexValues for a condition of type '%s'", m.Field)
	case m.Field == "http-request-method" && c.HttpRequestMethodConfig != nil:
		m.Values = c.HttpRequestMethodConfig.Values
	case m.Field == "source-ip" && c.SourceIpConfig != nil:
		m.Values = c.SourceIpConfig.Values
	case m.Field == "query-string" && c.QueryStringConfig != nil:
		for _, p := range c.QueryStringConfig.Values {
			m.Query = append(m.Query, model.Tag{Key: aws.ToString(p.Key), Value: aws.ToString(p.Value)})
		}
	}
	return nil
}

// oneForm takes the values of a condition from its config, if they did not come
// beside it already. An answer of DescribeRules has both forms and cannot be sent
// back as it is, as on AWS.
func oneForm(m *model.Condition, config string, values, regex []string) error {
	if len(values) > 0 && len(m.Values) > 0 {
		return invalid("You cannot provide both Values and '%s' for a condition of type '%s'", config, m.Field)
	}
	if len(regex) > 0 && len(m.Regex) > 0 {
		return invalid("You cannot provide both RegexValues and '%s' for a condition of type '%s'", config, m.Field)
	}
	if len(values) > 0 {
		m.Values = values
	}
	if len(regex) > 0 {
		m.Regex = regex
	}
	return nil
}

func checkCondition(m model.Condition) error {
	if len(m.Values)+len(m.Query)+len(m.Regex) == 0 {
		return invalid("A condition value must be specified for '%s'", m.Field)
	}
	if m.Field == "http-header" {
		if err := checkHeaderName(m.HeaderName); err != nil {
			return err
		}
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
	for _, v := range m.Regex {
		if v == "" || len(v) > 128 {
			return invalid("Condition value '%s' must have 1 to 128 characters", v)
		}
		if _, err := routing.Regex(v, false); err != nil {
			return invalid("Condition value '%s' is not a valid regular expression", v)
		}
	}
	return nil
}

// checkHeaderName checks the name of an http-header condition. That of the host has
// a condition of its own (API_HttpHeaderConditionConfig).
func checkHeaderName(name string) error {
	switch {
	case name == "" || len(name) > 40:
		return invalid("HTTP header name '%s' must have 1 to 40 characters", name)
	case strings.ContainsFunc(name, notInToken):
		return invalid("HTTP header name '%s' contains a character that is not valid", name)
	case strings.EqualFold(name, "Host"):
		return invalid("HTTP header name '%s' is not valid: use a 'host-header' condition to specify the host header", name)
	}
	return nil
}

// notInToken reports whether a character cannot stand in a field's name (RFC 9110,
// 5.6.2).
func notInToken(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
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
	case "host-header":
		return checkHost(v)
	case "path-pattern":
		if !printable(v) {
			return invalid("Path pattern '%s' contains invalid characters", v)
		}
	}
	return nil
}

// checkHost checks a host name with wildcards: at least one dot, and only letters
// after the last (API_HostHeaderConditionConfig).
func checkHost(v string) error {
	letter := func(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '*' || r == '?' }
	inHost := func(r rune) bool { return letter(r) || '0' <= r && r <= '9' || r == '-' || r == '.' }
	dot := strings.LastIndexByte(v, '.')
	switch {
	case strings.ContainsFunc(v, func(r rune) bool { return !inHost(r) }):
		return invalid("Condition value '%s' contains a character that is not valid", v)
	case dot < 0:
		return invalid("Condition value '%s' must contain at least one '.' character", v)
	case strings.ContainsFunc(v[dot+1:], func(r rune) bool { return !letter(r) }):
		return invalid("Condition value '%s' can contain only alphabetical characters after the final '.' character", v)
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
	return len(m.Values) + len(m.Query) + len(m.Regex), wildcards
}

// showConditions is conditions in the API's shape. Host and path conditions
// show their values in both forms, regular expressions in the config alone.
func showConditions(in []model.Condition) []types.RuleCondition {
	out := make([]types.RuleCondition, len(in))
	for i, m := range in {
		c := types.RuleCondition{Field: aws.String(m.Field)}
		switch m.Field {
		case "host-header":
			c.Values, c.HostHeaderConfig = m.Values, &types.HostHeaderConditionConfig{Values: m.Values, RegexValues: m.Regex}
		case "path-pattern":
			c.Values, c.PathPatternConfig = m.Values, &types.PathPatternConditionConfig{Values: m.Values, RegexValues: m.Regex}
		case "http-header":
			c.HttpHeaderConfig = &types.HttpHeaderConditionConfig{HttpHeaderName: aws.String(m.HeaderName), Values: m.Values, RegexValues: m.Regex}
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
