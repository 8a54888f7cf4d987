package elbv2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// createListener: codes ValidationError, LoadBalancerNotFound,
// DuplicateListener, UnsupportedProtocol, SSLPolicyNotFound, CertificateNotFound,
// UnsupportedCertificate, TrustStoreNotFound, TargetGroupNotFound,
// TargetGroupAssociationLimit, TooManyListeners, TooManyTargetGroups,
// InvalidLoadBalancerAction, TooManyTags, DuplicateTagKeys, and
// InvalidConfigurationRequest, also when the port is taken on this machine.
func (s *service) createListener(ctx context.Context, in *elb.CreateListenerInput) (*elb.CreateListenerOutput, error) {
	lb, err := s.loadBalancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	l := model.Listener{LoadBalancerARN: lb.ARN}
	if in.Protocol == "" {
		return nil, invalid("A listener protocol must be specified")
	}
	if err := (security{in.Protocol, in.Certificates, in.SslPolicy, in.MutualAuthentication}).apply(&l); err != nil {
		return nil, err
	}
	l.Attributes = defaults(listenerAttributes(l.Protocol))
	if in.Port == nil {
		return nil, invalid("A listener port must be specified")
	}
	if l.Port, err = number("port", in.Port, 1, 65535, 0); err != nil {
		return nil, err
	}
	if l.DefaultActions, err = s.readActions(in.DefaultActions); err != nil {
		return nil, err
	}
	if err = checkProtocol(l.Protocol, l.DefaultActions); err != nil {
		return nil, err
	}
	if l.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return nil, err
	}
	if len(s.lb.Listeners(lb.ARN)) >= maxListeners {
		return nil, model.Errorf(model.Throttled, "TooManyListeners", "The maximum number of listeners per load balancer has been reached")
	}
	if l, err = s.lb.CreateListener(ctx, l); err != nil {
		return nil, err
	}
	return &elb.CreateListenerOutput{Listeners: []types.Listener{showListener(l)}}, nil
}

func showListener(l model.Listener) types.Listener {
	out := types.Listener{
		Certificates:    showCertificates(l),
		DefaultActions:  showActions(l.DefaultActions),
		ListenerArn:     aws.String(l.ARN),
		LoadBalancerArn: aws.String(l.LoadBalancerARN),
		Port:            aws.Int32(int32(l.Port)),
		Protocol:        types.ProtocolEnum(l.Protocol),
	}
	if l.SSLPolicy != "" {
		out.SslPolicy = aws.String(l.SSLPolicy)
		out.MutualAuthentication = showMutual(l.Mutual)
	}
	return out
}

// modifyListener: codes ListenerNotFound and those of createListener.
func (s *service) modifyListener(ctx context.Context, in *elb.ModifyListenerInput) (*elb.ModifyListenerOutput, error) {
	arn, err := required("listenerArn", in.ListenerArn)
	if err != nil {
		return nil, err
	}
	var actions []model.Action
	if len(in.DefaultActions) > 0 {
		if actions, err = s.readActions(in.DefaultActions); err != nil {
			return nil, err
		}
	}
	if _, err := number("port", in.Port, 1, 65535, 1); err != nil {
		return nil, err
	}
	l, err := s.lb.UpdateListener(ctx, arn, func(l *model.Listener) error {
		if in.Port != nil {
			l.Port = int(*in.Port)
		}
		if actions != nil {
			l.DefaultActions = actions
		}
		if err := (security{in.Protocol, in.Certificates, in.SslPolicy, in.MutualAuthentication}).apply(l); err != nil {
			return err
		}
		return checkProtocol(l.Protocol, l.DefaultActions)
	})
	if err != nil {
		return nil, err
	}
	return &elb.ModifyListenerOutput{Listeners: []types.Listener{showListener(l)}}, nil
}

// deleteListener: codes ValidationError, ListenerNotFound.
func (s *service) deleteListener(ctx context.Context, in *elb.DeleteListenerInput) (*elb.DeleteListenerOutput, error) {
	arn, err := required("listenerArn", in.ListenerArn)
	if err != nil {
		return nil, err
	}
	if err := s.lb.DeleteListener(ctx, arn); err != nil {
		return nil, err
	}
	return &elb.DeleteListenerOutput{}, nil
}
