package peers

import (
	"context"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/bench/rig"
)

// awaitHealth waits until the target group's targets are healthy.
func (f *Field) awaitHealth(ctx context.Context, client *elb.Client, group *string) error {
	return rig.Until(ctx, "the backend to be healthy", 60*time.Second, 100*time.Millisecond, func(ctx context.Context) (bool, error) {
		out, err := client.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: group})
		if err != nil {
			return false, err
		}
		for _, t := range out.TargetHealthDescriptions {
			if t.TargetHealth.State != types.TargetHealthStateEnumHealthy {
				return false, nil
			}
		}
		return len(out.TargetHealthDescriptions) > 0, nil
	})
}
