package applicationautoscaling

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"neargate/internal/autoscaler"
	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// describeScalingActivities returns activities newest first; reasons for not
// scaling on request. Codes ValidationException, InvalidNextTokenException.
func (s *service) describeScalingActivities(_ context.Context, in *sdk.DescribeScalingActivitiesInput) (*sdk.DescribeScalingActivitiesOutput, error) {
	var c wire.Checks
	namespaces(&c, in.ServiceNamespace)
	dimensions(&c, in.ScalableDimension)
	c.OptionalText("resourceId", in.ResourceId, 1, 1600)
	limit := c.Range("maxResults", in.MaxResults, 1, largestPage, largestPage)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	if err := picks(in.ScalableDimension, len(aws.ToString(in.ResourceId))); err != nil {
		return nil, err
	}
	out := &sdk.DescribeScalingActivitiesOutput{ScalingActivities: []types.ScalingActivity{}}
	if in.ServiceNamespace != autoscaler.Namespace || in.ScalableDimension != "" && in.ScalableDimension != autoscaler.Dimension {
		return out, nil
	}
	all := s.scaler.Activities(aws.ToString(in.ResourceId))
	if !aws.ToBool(in.IncludeNotScaledActivities) {
		all = slices.DeleteFunc(all, func(a model.ScalingActivity) bool { return len(a.NotScaled) > 0 })
	}
	newestFirst := func(a model.ScalingActivity) string {
		return fmt.Sprintf("%020d %s", math.MaxInt64-a.StartedAt.UnixNano(), a.ID)
	}
	slices.SortFunc(all, func(x, y model.ScalingActivity) int {
		return strings.Compare(newestFirst(x), newestFirst(y))
	})
	cut, next, err := page(all, newestFirst, in.NextToken, limit)
	if err != nil {
		return nil, err
	}
	out.NextToken = next
	for _, a := range cut {
		out.ScalingActivities = append(out.ScalingActivities, activityOf(a))
	}
	return out, nil
}

func activityOf(a model.ScalingActivity) types.ScalingActivity {
	out := types.ScalingActivity{
		ActivityId: &a.ID, ServiceNamespace: types.ServiceNamespace(a.Namespace), ResourceId: &a.ResourceID,
		ScalableDimension: types.ScalableDimension(a.Dimension), Description: &a.Description, Cause: &a.Cause,
		StartTime: &a.StartedAt, StatusCode: types.ScalingActivityStatusCode(a.Status),
	}
	if !a.EndedAt.IsZero() {
		out.EndTime = &a.EndedAt
	}
	if a.StatusMessage != "" {
		out.StatusMessage = &a.StatusMessage
	}
	if a.Details != "" {
		out.Details = &a.Details
	}
	for _, n := range a.NotScaled {
		out.NotScaledReasons = append(out.NotScaledReasons, notScaledOf(n))
	}
	return out
}

// notScaledOf returns the numbers that belong to a reason's code.
func notScaledOf(n model.NotScaledReason) types.NotScaledReason {
	out := types.NotScaledReason{Code: &n.Code}
	switch n.Code {
	case "AlreadyAtMaxCapacity":
		out.MaxCapacity = aws.Int32(int32(n.Max))
	case "AlreadyAtMinCapacity":
		out.MinCapacity = aws.Int32(int32(n.Min))
	case "AlreadyAtDesiredCapacity":
		out.CurrentCapacity = aws.Int32(int32(n.CurrentSize))
	}
	return out
}
