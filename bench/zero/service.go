package main

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"neargate/bench/rig"
)

const (
	service  = "web"
	resource = "service/" + rig.Cluster + "/" + service
	// cooldown is the policy's for scale-in, which the idle time obeys.
	cooldown = 10 * time.Second
	most     = 4 // tasks
	// zeroLimit is how long after a request the service may take to zero.
	zeroLimit = 2 * time.Minute
)

// bench is the service on its stage.
type bench struct{ *rig.Stage }

// start takes the time of one start by an order, and goes back.
func (b bench) start(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	if err := b.SetDesired(ctx, service, 1); err != nil {
		return 0, err
	}
	if err := b.UntilHealthy(ctx, 1); err != nil {
		return 0, err
	}
	took := time.Since(began)
	if err := b.SetDesired(ctx, service, 0); err != nil {
		return 0, err
	}
	return took, b.untilZero(ctx)
}

// scale has the service go to zero and back.
func (b bench) scale(ctx context.Context) error {
	_, err := b.Scaling.RegisterScalableTarget(ctx, &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String(resource), ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount,
		MinCapacity: aws.Int32(0), MaxCapacity: aws.Int32(most),
	})
	if err != nil {
		return err
	}
	_, err = b.Scaling.PutScalingPolicy(ctx, &applicationautoscaling.PutScalingPolicyInput{
		ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String(resource), ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount,
		PolicyName: aws.String("cpu"), PolicyType: scaling.PolicyTypeTargetTrackingScaling,
		TargetTrackingScalingPolicyConfiguration: &scaling.TargetTrackingScalingPolicyConfiguration{
			TargetValue: aws.Float64(50), ScaleInCooldown: aws.Int32(int32(cooldown.Seconds())), ScaleOutCooldown: aws.Int32(0),
			PredefinedMetricSpecification: &scaling.PredefinedMetricSpecification{PredefinedMetricType: scaling.MetricTypeECSServiceAverageCPUUtilization},
		},
	})
	return err
}

// untilZero waits until the service has no task and wants none.
func (b bench) untilZero(ctx context.Context) error {
	return rig.Until(ctx, "the service to have no task", zeroLimit, 100*time.Millisecond, func(ctx context.Context) (bool, error) {
		out, err := b.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(rig.Cluster), Services: []string{service}})
		if err != nil || len(out.Services) == 0 {
			return false, err
		}
		s := out.Services[0]
		return s.DesiredCount+s.RunningCount+s.PendingCount == 0, nil
	})
}
