package elbv2

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// listenerAttributes are those of a listener (API_ListenerAttribute): headers that
// the load balancer puts into answers, and with HTTPS the names of those that it puts
// into requests (listener-header-modification).
func listenerAttributes(protocol string) []attribute {
	const response = "routing.http.response."
	out := []attribute{
		{key: response + "access_control_allow_credentials.header_value", allows: oneOf("", "true")},
		{key: response + "access_control_allow_headers.header_value", allows: fieldNames},
		{key: response + "access_control_allow_methods.header_value", allows: fieldNames},
		{key: response + "access_control_allow_origin.header_value", allows: headerValue},
		{key: response + "access_control_expose_headers.header_value", allows: fieldNames},
		{key: response + "access_control_max_age.header_value", allows: func(v string) bool { return v == "" || within(0, 86400)(v) }},
		{key: response + "content_security_policy.header_value", allows: headerValue},
		{key: response + "server.enabled", initial: "true", allows: boolean},
		{key: response + "strict_transport_security.header_value", allows: headerValue},
		{key: response + "x_content_type_options.header_value", allows: oneOf("", "nosniff")},
		{key: response + "x_frame_options.header_value", allows: headerValue},
	}
	if protocol != "HTTPS" {
		return out
	}
	for _, name := range []string{
		"X-Amzn-Mtls-Clientcert", "X-Amzn-Mtls-Clientcert-Issuer", "X-Amzn-Mtls-Clientcert-Leaf", "X-Amzn-Mtls-Clientcert-Serial-Number",
		"X-Amzn-Mtls-Clientcert-Subject", "X-Amzn-Mtls-Clientcert-Validity", "X-Amzn-Tls-Cipher-Suite", "X-Amzn-Tls-Version",
	} {
		key := "routing.http.request." + strings.ReplaceAll(strings.ToLower(name), "-", "_") + ".header_name"
		out = append(out, attribute{key: key, initial: name, allows: headerName})
	}
	return out
}

// headerName reports whether v can be the name of a header: letters, digits, hyphens
// and underscores, up to 40 characters.
func headerName(v string) bool {
	return v != "" && len(v) <= 40 && !strings.ContainsFunc(v, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// headerValue reports whether v can be the value of a header: up to 1,024 visible
// characters, and blanks between them.
func headerValue(v string) bool {
	return len(v) <= 1024 && strings.TrimSpace(v) == v && !strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' })
}

// fieldNames reports whether v is a list of names, or "*".
func fieldNames(v string) bool {
	for name := range strings.SplitSeq(v, ",") {
		if strings.ContainsFunc(strings.TrimSpace(name), notInToken) {
			return false
		}
	}
	return headerValue(v)
}

// describeListenerAttributes: codes ValidationError, ListenerNotFound.
func (s *service) describeListenerAttributes(_ context.Context, in *elb.DescribeListenerAttributesInput) (*elb.DescribeListenerAttributesOutput, error) {
	l, err := s.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeListenerAttributesOutput{Attributes: inOrder(listenerAttributes(l.Protocol), l.Attributes, showListenerAttribute)}, nil
}

func showListenerAttribute(key, value string) types.ListenerAttribute {
	return types.ListenerAttribute{Key: aws.String(key), Value: aws.String(value)}
}

// modifyListenerAttributes: codes ValidationError, ListenerNotFound,
// InvalidConfigurationRequest.
func (s *service) modifyListenerAttributes(ctx context.Context, in *elb.ModifyListenerAttributesInput) (*elb.ModifyListenerAttributesOutput, error) {
	if _, err := s.listener(in.ListenerArn); err != nil {
		return nil, err
	}
	pairs := make([]pair, len(in.Attributes))
	for i, a := range in.Attributes {
		pairs[i] = pair{aws.ToString(a.Key), aws.ToString(a.Value)}
	}
	l, err := s.lb.UpdateListener(ctx, *in.ListenerArn, func(l *model.Listener) (err error) {
		l.Attributes, err = changed("Listener", listenerAttributes(l.Protocol), l.Attributes, pairs)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &elb.ModifyListenerAttributesOutput{Attributes: inOrder(listenerAttributes(l.Protocol), l.Attributes, showListenerAttribute)}, nil
}
