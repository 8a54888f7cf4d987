package elbv2

import (
	"context"
	"fmt"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// describeListeners: codes ValidationError, LoadBalancerNotFound,
// ListenerNotFound.
func (s *service) describeListeners(_ context.Context, in *elb.DescribeListenersInput) (*elb.DescribeListenersOutput, error) {
	var all []model.Listener
	switch {
	case len(in.ListenerArns) > 0:
		var missing string
		all, missing = only(s.lb.Listeners(""), in.ListenerArns, func(l model.Listener) string { return l.ARN })
		if missing != "" {
			return nil, noListener()
		}
	case in.LoadBalancerArn == nil:
		return nil, invalid("You must specify either listener ARNs or a load balancer ARN")
	default:
		lb, err := s.loadBalancer(in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		all = s.lb.Listeners(lb.ARN)
	}
	order := func(l model.Listener) string { return fmt.Sprintf("%s %05d", l.LoadBalancerARN, l.Port) }
	listeners, next, err := page(all, order, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeListenersOutput{NextMarker: next, Listeners: []types.Listener{}}
	for _, l := range listeners {
		out.Listeners = append(out.Listeners, showListener(l))
	}
	return out, nil
}

func noListener() error {
	return model.Errorf(model.NotFound, "ListenerNotFound", "One or more listeners not found")
}

// listener returns the listener that an operation is about.
func (s *service) listener(arn *string) (model.Listener, error) {
	id, err := required("listenerArn", arn)
	if err != nil {
		return model.Listener{}, err
	}
	l, ok := s.lb.Listener(id)
	if !ok {
		return l, noListener()
	}
	return l, nil
}
