package elbv2

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// mergeTags returns tags with those of in added or replaced: codes TooManyTags,
// DuplicateTagKeys, ValidationError.
func mergeTags(tags []model.Tag, in []types.Tag) ([]model.Tag, error) {
	out := tags
	seen := map[string]bool{}
	for _, t := range in {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		switch {
		case key == "" || len(key) > 128 || len(value) > 256:
			return nil, invalid("Tag key '%s' must have 1 to 128 characters and its value at most 256", key)
		case strings.HasPrefix(key, "aws:"):
			return nil, invalid("Tag key '%s' cannot begin with 'aws:'", key)
		case seen[key]:
			return nil, model.Errorf(model.Invalid, "DuplicateTagKeys", "The tag key '%s' is specified more than once", key)
		}
		seen[key] = true
		out = model.MergeTags(out, []model.Tag{{Key: key, Value: value}})
	}
	if len(out) > maxTags {
		return nil, model.Errorf(model.Throttled, "TooManyTags", "The maximum number of tags per resource has been reached")
	}
	return out, nil
}

// addTags: codes LoadBalancerNotFound, TargetGroupNotFound, ListenerNotFound,
// RuleNotFound and those of mergeTags.
func (s *service) addTags(ctx context.Context, in *elb.AddTagsInput) (*elb.AddTagsOutput, error) {
	if len(in.Tags) == 0 {
		return nil, invalid("At least one tag must be specified")
	}
	for _, arn := range in.ResourceArns {
		tags, err := s.tagsOf(arn)
		if err != nil {
			return nil, err
		}
		if _, err := mergeTags(tags, in.Tags); err != nil {
			return nil, err
		}
	}
	err := s.retag(ctx, in.ResourceArns, func(tags []model.Tag) ([]model.Tag, error) { return mergeTags(tags, in.Tags) })
	if err != nil {
		return nil, err
	}
	return &elb.AddTagsOutput{}, nil
}

// removeTags: codes LoadBalancerNotFound, TargetGroupNotFound,
// ListenerNotFound, RuleNotFound, ValidationError.
func (s *service) removeTags(ctx context.Context, in *elb.RemoveTagsInput) (*elb.RemoveTagsOutput, error) {
	if len(in.TagKeys) == 0 {
		return nil, invalid("At least one tag key must be specified")
	}
	for _, arn := range in.ResourceArns {
		if _, err := s.tagsOf(arn); err != nil {
			return nil, err
		}
	}
	err := s.retag(ctx, in.ResourceArns, func(tags []model.Tag) ([]model.Tag, error) {
		return model.RemoveTags(tags, in.TagKeys), nil
	})
	if err != nil {
		return nil, err
	}
	return &elb.RemoveTagsOutput{}, nil
}

// describeTags: codes LoadBalancerNotFound, TargetGroupNotFound,
// ListenerNotFound, RuleNotFound, ValidationError.
func (s *service) describeTags(_ context.Context, in *elb.DescribeTagsInput) (*elb.DescribeTagsOutput, error) {
	if len(in.ResourceArns) == 0 || len(in.ResourceArns) > 20 {
		return nil, invalid("You can specify 1 to 20 resource ARNs")
	}
	out := &elb.DescribeTagsOutput{TagDescriptions: []types.TagDescription{}}
	for _, arn := range in.ResourceArns {
		tags, err := s.tagsOf(arn)
		if err != nil {
			return nil, err
		}
		d := types.TagDescription{ResourceArn: aws.String(arn), Tags: []types.Tag{}}
		for _, t := range tags {
			d.Tags = append(d.Tags, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
		}
		out.TagDescriptions = append(out.TagDescriptions, d)
	}
	return out, nil
}

// kindOf returns what an ARN names: the part before the first slash.
func kindOf(arn string) string {
	a, _ := model.ParseARN(arn)
	kind, _, _ := strings.Cut(a.Resource, "/")
	return kind
}

func (s *service) tagsOf(arn string) ([]model.Tag, error) {
	switch kindOf(arn) {
	case "loadbalancer":
		lb, err := s.loadBalancer(&arn)
		return lb.Tags, err
	case "targetgroup":
		tg, err := s.targetGroup(&arn)
		return tg.Tags, err
	case "listener":
		l, err := s.listener(&arn)
		return l.Tags, err
	case "listener-rule":
		r, ok := s.lb.Rule(arn)
		if !ok {
			return nil, model.Errorf(model.NotFound, "RuleNotFound", "One or more rules not found")
		}
		return r.Tags, nil
	case "truststore":
		t, err := s.trustStore(&arn)
		return t.Tags, err
	}
	return nil, invalid("'%s' is not a valid ARN of a load balancer, target group, listener, rule or trust store", arn)
}

// retag replaces the tags of resources, which exist.
func (s *service) retag(ctx context.Context, arns []string, change func([]model.Tag) ([]model.Tag, error)) error {
	for _, arn := range arns {
		var err error
		switch kindOf(arn) {
		case "loadbalancer":
			_, err = s.lb.UpdateLoadBalancer(ctx, arn, func(lb *model.LoadBalancer) (err error) { lb.Tags, err = change(lb.Tags); return err })
		case "targetgroup":
			_, err = s.lb.UpdateTargetGroup(ctx, arn, func(tg *model.TargetGroup) (err error) { tg.Tags, err = change(tg.Tags); return err })
		case "listener":
			_, err = s.lb.UpdateListener(ctx, arn, func(l *model.Listener) (err error) { l.Tags, err = change(l.Tags); return err })
		case "listener-rule":
			_, err = s.lb.UpdateRule(ctx, arn, func(r *model.Rule) (err error) { r.Tags, err = change(r.Tags); return err })
		case "truststore":
			err = s.retagTrustStore(ctx, arn, change)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
