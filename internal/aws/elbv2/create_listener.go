package elbv2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// createListener: codes ValidationError, LoadBalancerNotFound,
// DuplicateListener, UnsupportedProtocol, TargetGroupNotFound,
// TargetGroupAssociationLimit, TooManyListeners, TooManyTargetGroups,
// InvalidLoadBalancerAction, TooManyTags, DuplicateTagKeys, and
// InvalidConfigurationRequest, also when the port is taken on this machine.
func (s *service) createListener(ctx context.Context, in *elb.CreateListenerInput) (*elb.CreateListenerOutput, error) {
	lb, err := s.loadBalancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	l := model.Listener{LoadBalancerARN: lb.ARN, Protocol: "HTTP", Attributes: defaults(listenerAttributes())}
	if err := checkProtocol(in.Protocol, in.Certificates, in.SslPolicy); err != nil {
		return nil, err
	}
	if in.Protocol == "" {
		return nil, invalid("A listener protocol must be specified")
	}
	if in.Port == nil {
		return nil, invalid("A listener port must be specified")
	}
	if l.Port, err = number("port", in.Port, 1, 65535, 0); err != nil {
		return nil, err
	}
	if l.DefaultActions, err = readActions(in.DefaultActions); err != nil {
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

// checkProtocol refuses TLS, which the balancer has none of.
func checkProtocol(p types.ProtocolEnum, certificates []types.Certificate, policy *string) error {
	switch p {
	case "", types.ProtocolEnumHttp:
	case types.ProtocolEnumHttps:
		return notHere("Listeners of protocol 'HTTPS' are not supported here, only 'HTTP'")
	default:
		return model.Errorf(model.Invalid, "UnsupportedProtocol", "Protocol '%s' is not supported by application load balancers", p)
	}
	if len(certificates) > 0 || policy != nil {
		return invalid("Certificates and security policies cannot be specified for HTTP listeners")
	}
	return nil
}

func showListener(l model.Listener) types.Listener {
	return types.Listener{
		DefaultActions:  showActions(l.DefaultActions),
		ListenerArn:     aws.String(l.ARN),
		LoadBalancerArn: aws.String(l.LoadBalancerARN),
		Port:            aws.Int32(int32(l.Port)),
		Protocol:        types.ProtocolEnum(l.Protocol),
	}
}

// modifyListener: codes ListenerNotFound and those of createListener.
func (s *service) modifyListener(ctx context.Context, in *elb.ModifyListenerInput) (*elb.ModifyListenerOutput, error) {
	arn, err := required("listenerArn", in.ListenerArn)
	if err != nil {
		return nil, err
	}
	if err := checkProtocol(in.Protocol, in.Certificates, in.SslPolicy); err != nil {
		return nil, err
	}
	var actions []model.Action
	if len(in.DefaultActions) > 0 {
		if actions, err = readActions(in.DefaultActions); err != nil {
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
		return nil
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
