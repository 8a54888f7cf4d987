package elbv2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// describeLoadBalancers: codes ValidationError, LoadBalancerNotFound.
func (s *service) describeLoadBalancers(_ context.Context, in *elb.DescribeLoadBalancersInput) (*elb.DescribeLoadBalancersOutput, error) {
	if len(in.LoadBalancerArns) > 0 && len(in.Names) > 0 {
		return nil, invalid("Load balancer names and load balancer ARNs cannot be specified at the same time")
	}
	all := s.lb.LoadBalancers()
	arn := func(lb model.LoadBalancer) string { return lb.ARN }
	name := func(lb model.LoadBalancer) string { return lb.Name }
	var missing string
	switch {
	case len(in.LoadBalancerArns) > 0:
		all, missing = only(all, in.LoadBalancerArns, arn)
	case len(in.Names) > 0:
		all, missing = only(all, in.Names, name)
	}
	if missing != "" {
		return nil, model.Errorf(model.NotFound, "LoadBalancerNotFound", "Load balancers '[%s]' not found", missing)
	}
	lbs, next, err := page(all, arn, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeLoadBalancersOutput{NextMarker: next, LoadBalancers: []types.LoadBalancer{}}
	for _, lb := range lbs {
		out.LoadBalancers = append(out.LoadBalancers, s.showLoadBalancer(lb))
	}
	return out, nil
}

// only keeps the items whose key is wanted; missing is a wanted key that none has.
func only[T any](items []T, wanted []string, key func(T) string) (kept []T, missing string) {
	for _, w := range wanted {
		if !slices.ContainsFunc(items, func(i T) bool { return key(i) == w }) {
			return nil, w
		}
	}
	for _, i := range items {
		if slices.Contains(wanted, key(i)) {
			kept = append(kept, i)
		}
	}
	return kept, ""
}

// loadBalancer returns the load balancer that an operation is about.
func (s *service) loadBalancer(arn *string) (model.LoadBalancer, error) {
	id, err := required("loadBalancerArn", arn)
	if err != nil {
		return model.LoadBalancer{}, err
	}
	lb, ok := s.lb.LoadBalancer(id)
	if !ok {
		return lb, model.Errorf(model.NotFound, "LoadBalancerNotFound", "Load balancer '%s' not found", id)
	}
	return lb, nil
}

// describeCapacityReservation: codes ValidationError, LoadBalancerNotFound.
// Nothing is ever reserved here.
func (s *service) describeCapacityReservation(_ context.Context, in *elb.DescribeCapacityReservationInput) (*elb.DescribeCapacityReservationOutput, error) {
	if _, err := s.loadBalancer(in.LoadBalancerArn); err != nil {
		return nil, err
	}
	return &elb.DescribeCapacityReservationOutput{}, nil
}

// describeAccountLimits: codes ValidationError.
func (s *service) describeAccountLimits(_ context.Context, in *elb.DescribeAccountLimitsInput) (*elb.DescribeAccountLimitsOutput, error) {
	all := []types.Limit{ // by name, as page wants it
		{Name: aws.String("application-load-balancers"), Max: aws.String("50")},
		{Name: aws.String("condition-values-per-alb-rule"), Max: aws.String("5")},
		{Name: aws.String("listeners-per-application-load-balancer"), Max: aws.String("50")},
		{Name: aws.String("rules-per-application-load-balancer"), Max: aws.String("100")},
		{Name: aws.String("target-groups"), Max: aws.String("3000")},
		{Name: aws.String("target-groups-per-action-on-application-load-balancer"), Max: aws.String("5")},
		{Name: aws.String("target-groups-per-application-load-balancer"), Max: aws.String("100")},
		{Name: aws.String("targets-per-application-load-balancer"), Max: aws.String("1000")},
		{Name: aws.String("targets-per-target-group"), Max: aws.String("1000")},
	}
	limits, next, err := page(all, func(l types.Limit) string { return aws.ToString(l.Name) }, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeAccountLimitsOutput{Limits: limits, NextMarker: next}, nil
}
