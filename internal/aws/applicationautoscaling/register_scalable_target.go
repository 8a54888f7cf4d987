package applicationautoscaling

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"

	"neargate/internal/autoscaler"
	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// registerScalableTarget: codes ValidationException, LimitExceededException,
// TooManyTagsException.
func (s *service) registerScalableTarget(ctx context.Context, in *sdk.RegisterScalableTargetInput) (*sdk.RegisterScalableTargetOutput, error) {
	r, err := registration(in)
	if err != nil {
		return nil, err
	}
	t, err := s.scaler.RegisterTarget(ctx, r)
	if err != nil {
		return nil, err
	}
	return &sdk.RegisterScalableTargetOutput{ScalableTargetARN: &t.ARN}, nil
}

// Target reads a RegisterScalableTarget request as that of a new target; what
// only the server gives, such as its ARN, is missing. The simulator reads
// bounds by it. ValidationException, TooManyTagsException.
func Target(in *sdk.RegisterScalableTargetInput) (model.ScalableTarget, error) {
	r, err := registration(in)
	if err != nil {
		return model.ScalableTarget{}, err
	}
	return r.Target()
}

func registration(in *sdk.RegisterScalableTargetInput) (autoscaler.Registration, error) {
	who := subject{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}
	var c wire.Checks
	who.check(&c)
	c.OptionalText("roleARN", in.RoleARN, 1, 1600)
	if err := c.Err(validation); err != nil {
		return autoscaler.Registration{}, err
	}
	if err := who.scales(); err != nil {
		return autoscaler.Registration{}, err
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return autoscaler.Registration{}, err
	}
	r := autoscaler.Registration{
		ResourceID: *in.ResourceId, Min: number(in.MinCapacity), Max: number(in.MaxCapacity),
		RoleARN: aws.ToString(in.RoleARN), Tags: tags,
	}
	if st := in.SuspendedState; st != nil {
		r.SuspendIn, r.SuspendOut, r.SuspendSched = st.DynamicScalingInSuspended, st.DynamicScalingOutSuspended, st.ScheduledScalingSuspended
	}
	return r, nil
}

// deregisterScalableTarget: codes ValidationException, ObjectNotFoundException.
func (s *service) deregisterScalableTarget(ctx context.Context, in *sdk.DeregisterScalableTargetInput) (*sdk.DeregisterScalableTargetOutput, error) {
	who := subject{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}
	var c wire.Checks
	who.check(&c)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	if err := who.scales(); err != nil {
		return nil, err
	}
	if err := s.scaler.DeregisterTarget(ctx, *in.ResourceId); err != nil {
		return nil, err
	}
	return &sdk.DeregisterScalableTargetOutput{}, nil
}

func number(n *int32) *int {
	if n == nil {
		return nil
	}
	return aws.Int(int(*n))
}

// mergeTags puts tags over old ones, sorted by key. ValidationException.
func mergeTags(old []model.Tag, add map[string]string) ([]model.Tag, error) {
	tags := slices.Clone(old)
	for key, value := range add {
		switch {
		case key == "" || utf8.RuneCountInString(key) > 128:
			return nil, invalid("Tag keys must have between 1 and 128 characters.")
		case utf8.RuneCountInString(value) > 256:
			return nil, invalid("Tag values must have at most 256 characters.")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, invalid("Tag keys must not begin with aws:.")
		}
		tags = model.MergeTags(tags, []model.Tag{{Key: key, Value: value}})
	}
	slices.SortFunc(tags, func(x, y model.Tag) int { return strings.Compare(x.Key, y.Key) })
	return tags, nil
}
