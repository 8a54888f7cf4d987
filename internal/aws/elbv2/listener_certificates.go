package elbv2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// addListenerCertificates: codes ValidationError, ListenerNotFound,
// CertificateNotFound, UnsupportedCertificate, TooManyCertificates,
// InvalidConfigurationRequest.
func (s *service) addListenerCertificates(ctx context.Context, in *elb.AddListenerCertificatesInput) (*elb.AddListenerCertificatesOutput, error) {
	arns, err := s.listenerCertificates(in.ListenerArn, in.Certificates)
	if err != nil {
		return nil, err
	}
	l, err := s.lb.UpdateListener(ctx, *in.ListenerArn, func(l *model.Listener) error {
		l.Certificates = slices.Clone(l.Certificates)
		for _, arn := range arns {
			if !slices.Contains(l.Certificates[1:], arn) && arn != l.Certificates[0] {
				l.Certificates = append(l.Certificates, arn)
			}
		}
		if s.certificatesOf(l.LoadBalancerARN, l.ARN)+len(l.Certificates)-1 > maxCertificates {
			return model.Errorf(model.Throttled, "TooManyCertificates", "The maximum number of certificates per load balancer has been reached")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &elb.AddListenerCertificatesOutput{}
	for _, arn := range l.Certificates[1:] {
		if slices.Contains(arns, arn) {
			out.Certificates = append(out.Certificates, types.Certificate{CertificateArn: aws.String(arn), IsDefault: aws.Bool(false)})
		}
	}
	return out, nil
}

// certificatesOf returns how many certificates the other listeners of a load
// balancer have beside their default ones.
func (s *service) certificatesOf(lbARN, except string) (n int) {
	for _, l := range s.lb.Listeners(lbARN) {
		if l.ARN != except && len(l.Certificates) > 0 {
			n += len(l.Certificates) - 1
		}
	}
	return n
}

// listenerCertificates reads the certificates of a call about those of a listener.
func (s *service) listenerCertificates(listener *string, in []types.Certificate) (arns []string, err error) {
	l, err := s.listener(listener)
	switch {
	case err != nil:
		return nil, err
	case l.Protocol != string(types.ProtocolEnumHttps):
		return nil, model.Errorf(model.Conflict, "OperationNotPermitted", "Certificates cannot be specified for HTTP listeners")
	case len(in) == 0:
		return nil, invalid("At least one certificate must be specified")
	}
	for _, c := range in {
		if c.IsDefault != nil {
			return nil, invalid("'IsDefault' cannot be specified for certificates to be added or removed")
		}
		arn, err := certificateARN(c)
		if err != nil {
			return nil, err
		}
		arns = append(arns, arn)
	}
	return arns, nil
}

// removeListenerCertificates: codes ValidationError, ListenerNotFound,
// OperationNotPermitted for the default one. One that is not there is no error.
func (s *service) removeListenerCertificates(ctx context.Context, in *elb.RemoveListenerCertificatesInput) (*elb.RemoveListenerCertificatesOutput, error) {
	arns, err := s.listenerCertificates(in.ListenerArn, in.Certificates)
	if err != nil {
		return nil, err
	}
	_, err = s.lb.UpdateListener(ctx, *in.ListenerArn, func(l *model.Listener) error {
		if slices.Contains(arns, l.Certificates[0]) {
			return model.Errorf(model.Conflict, "OperationNotPermitted", "Default certificate '%s' cannot be removed", l.Certificates[0])
		}
		l.Certificates = slices.DeleteFunc(slices.Clone(l.Certificates), func(arn string) bool { return slices.Contains(arns, arn) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &elb.RemoveListenerCertificatesOutput{}, nil
}

// describeListenerCertificates: codes ValidationError, ListenerNotFound.
func (s *service) describeListenerCertificates(_ context.Context, in *elb.DescribeListenerCertificatesInput) (*elb.DescribeListenerCertificatesOutput, error) {
	l, err := s.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	all := []types.Certificate{}
	for i, arn := range l.Certificates {
		all = append(all, types.Certificate{CertificateArn: aws.String(arn), IsDefault: aws.Bool(i == 0)})
	}
	shown, next, err := page(all, func(c types.Certificate) string { return *c.CertificateArn }, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeListenerCertificatesOutput{Certificates: shown, NextMarker: next}, nil
}
