package applicationautoscaling

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// largestPage is the most items of a page, except of policies.
const largestPage = 50

// describeScalableTargets: codes ValidationException, InvalidNextTokenException.
func (s *service) describeScalableTargets(_ context.Context, in *sdk.DescribeScalableTargetsInput) (*sdk.DescribeScalableTargetsOutput, error) {
	var c wire.Checks
	namespaces(&c, in.ServiceNamespace)
	dimensions(&c, in.ScalableDimension)
	limit := c.Range("maxResults", in.MaxResults, 1, largestPage, largestPage)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	if err := picks(in.ScalableDimension, len(in.ResourceIds)); err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(s.scaler.Targets(), func(t model.ScalableTarget) bool {
		return t.Namespace != string(in.ServiceNamespace) ||
			in.ScalableDimension != "" && t.Dimension != string(in.ScalableDimension) ||
			len(in.ResourceIds) > 0 && !slices.Contains(in.ResourceIds, t.ResourceID)
	})
	cut, next, err := page(all, func(t model.ScalableTarget) string { return t.ResourceID }, in.NextToken, limit)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeScalableTargetsOutput{NextToken: next, ScalableTargets: []types.ScalableTarget{}}
	for _, t := range cut {
		one := types.ScalableTarget{
			ServiceNamespace: types.ServiceNamespace(t.Namespace), ScalableDimension: types.ScalableDimension(t.Dimension),
			ResourceId: &t.ResourceID, ScalableTargetARN: &t.ARN, RoleARN: &t.RoleARN, CreationTime: &t.CreatedAt,
			MinCapacity: aws.Int32(int32(t.Min)), MaxCapacity: aws.Int32(int32(t.Max)),
			SuspendedState: &types.SuspendedState{
				DynamicScalingInSuspended: &t.SuspendIn, DynamicScalingOutSuspended: &t.SuspendOut, ScheduledScalingSuspended: &t.SuspendSched,
			},
		}
		if n, ok := s.scaler.Predicted(t.ResourceID); ok {
			one.PredictedCapacity = aws.Int32(int32(n))
		}
		out.ScalableTargets = append(out.ScalableTargets, one)
	}
	return out, nil
}
