package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// tearDown deletes what setUp made, through the APIs, in the order a user must.
func (d *run) tearDown(ctx context.Context) error {
	begin := time.Now()
	steps := []struct {
		name string
		do   func(context.Context) error
	}{
		{"deregister the scalable target", func(ctx context.Context) error {
			_, err := d.aws.scaling.DeregisterScalableTarget(ctx, &applicationautoscaling.DeregisterScalableTargetInput{
				ServiceNamespace: scaling.ServiceNamespaceEcs, ResourceId: aws.String(resource),
				ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount,
			})
			return err
		}},
		{"delete the service", d.deleteService},
		{"delete the load balancer", func(ctx context.Context) error {
			_, err := d.aws.elb.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: aws.String(d.balancer)})
			return err
		}},
		{"delete the certificate", d.deleteCertificate},
		{"delete the target group", func(ctx context.Context) error {
			_, err := d.aws.elb.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: aws.String(d.targetGroup)})
			return err
		}},
		{"delete the log group", func(ctx context.Context) error {
			_, err := d.aws.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(logGroup)})
			return err
		}},
		{"delete the cluster", func(ctx context.Context) error {
			_, err := d.aws.ecs.DeleteCluster(ctx, &ecs.DeleteClusterInput{Cluster: aws.String(cluster)})
			return err
		}},
		{"delete the repository", func(ctx context.Context) error {
			_, err := d.aws.ecr.DeleteRepository(ctx, &ecr.DeleteRepositoryInput{RepositoryName: aws.String("app"), Force: true})
			return err
		}},
	}
	for _, s := range steps {
		if err := s.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	d.view.step("clean", "deleted everything that was made", time.Since(begin))
	return nil
}

func (d *run) deleteService(ctx context.Context) error {
	in := &ecs.DeleteServiceInput{Cluster: aws.String(cluster), Service: aws.String(service), Force: aws.Bool(true)}
	if _, err := d.aws.ecs.DeleteService(ctx, in); err != nil {
		return err
	}
	w := ecs.NewServicesInactiveWaiter(d.aws.ecs, func(o *ecs.ServicesInactiveWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
	})
	return w.Wait(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: []string{service}}, time.Minute)
}
