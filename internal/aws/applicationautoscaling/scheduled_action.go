package applicationautoscaling

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"neargate/internal/autoscaler"
	"neargate/internal/aws/wire"
	"neargate/internal/decide/schedule"
	"neargate/internal/model"
)

// putScheduledAction: codes ValidationException, ObjectNotFoundException,
// LimitExceededException.
func (s *service) putScheduledAction(ctx context.Context, in *sdk.PutScheduledActionInput) (*sdk.PutScheduledActionOutput, error) {
	change, err := scheduledChange(in)
	if err != nil {
		return nil, err
	}
	if err := s.scaler.PutScheduled(ctx, change); err != nil {
		return nil, err
	}
	return &sdk.PutScheduledActionOutput{}, nil
}

// ScheduledAction reads a PutScheduledAction request at now as that of a new
// action, as far as it can be judged without its target; the simulator reads
// actions by it. ValidationException.
func ScheduledAction(in *sdk.PutScheduledActionInput, now time.Time) (schedule.Entry, error) {
	change, err := scheduledChange(in)
	if err != nil {
		return schedule.Entry{}, err
	}
	return change.Entry(now)
}

func scheduledChange(in *sdk.PutScheduledActionInput) (autoscaler.ScheduledChange, error) {
	who := subject{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}
	var c wire.Checks
	c.Text("scheduledActionName", in.ScheduledActionName, 1, 256)
	who.check(&c)
	c.OptionalText("schedule", in.Schedule, 1, 1600)
	c.OptionalText("timezone", in.Timezone, 1, 1600)
	if err := c.Err(validation); err != nil {
		return autoscaler.ScheduledChange{}, err
	}
	if err := who.scales(); err != nil {
		return autoscaler.ScheduledChange{}, err
	}
	change := autoscaler.ScheduledChange{
		ResourceID: *in.ResourceId, Name: *in.ScheduledActionName, Schedule: in.Schedule, Timezone: in.Timezone,
		Start: aws.ToTime(in.StartTime), End: aws.ToTime(in.EndTime),
	}
	if b := in.ScalableTargetAction; b != nil {
		change.SetsBounds, change.Min, change.Max = true, number(b.MinCapacity), number(b.MaxCapacity)
	}
	return change, nil
}

// deleteScheduledAction: codes ValidationException, ObjectNotFoundException.
func (s *service) deleteScheduledAction(ctx context.Context, in *sdk.DeleteScheduledActionInput) (*sdk.DeleteScheduledActionOutput, error) {
	who := subject{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}
	var c wire.Checks
	c.Text("scheduledActionName", in.ScheduledActionName, 1, 1600)
	who.check(&c)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	if err := who.scales(); err != nil {
		return nil, err
	}
	if err := s.scaler.DeleteScheduled(ctx, *in.ResourceId, *in.ScheduledActionName); err != nil {
		return nil, err
	}
	return &sdk.DeleteScheduledActionOutput{}, nil
}

// describeScheduledActions: codes ValidationException, InvalidNextTokenException.
func (s *service) describeScheduledActions(_ context.Context, in *sdk.DescribeScheduledActionsInput) (*sdk.DescribeScheduledActionsOutput, error) {
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
	all := slices.DeleteFunc(s.scaler.Scheduled(), func(act model.ScheduledAction) bool {
		return act.Namespace != string(in.ServiceNamespace) ||
			in.ScalableDimension != "" && act.Dimension != string(in.ScalableDimension) ||
			in.ResourceId != nil && act.ResourceID != *in.ResourceId ||
			len(in.ScheduledActionNames) > 0 && !slices.Contains(in.ScheduledActionNames, act.Name)
	})
	key := func(act model.ScheduledAction) string { return act.ResourceID + "\n" + act.Name }
	cut, next, err := page(all, key, in.NextToken, limit)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeScheduledActionsOutput{NextToken: next, ScheduledActions: []types.ScheduledAction{}}
	for _, act := range cut {
		out.ScheduledActions = append(out.ScheduledActions, scheduledOf(act))
	}
	return out, nil
}

func scheduledOf(act model.ScheduledAction) types.ScheduledAction {
	out := types.ScheduledAction{
		ScheduledActionARN: &act.ARN, ScheduledActionName: &act.Name, ServiceNamespace: types.ServiceNamespace(act.Namespace),
		ResourceId: &act.ResourceID, ScalableDimension: types.ScalableDimension(act.Dimension),
		Schedule: &act.Schedule, CreationTime: &act.CreatedAt,
		ScalableTargetAction: &types.ScalableTargetAction{MinCapacity: number32(act.Min), MaxCapacity: number32(act.Max)},
	}
	if act.Timezone != "" {
		out.Timezone = &act.Timezone
	}
	if !act.Start.IsZero() {
		out.StartTime = &act.Start
	}
	if !act.End.IsZero() {
		out.EndTime = &act.End
	}
	return out
}

func number32(n *int) *int32 {
	if n == nil {
		return nil
	}
	return aws.Int32(int32(*n))
}
