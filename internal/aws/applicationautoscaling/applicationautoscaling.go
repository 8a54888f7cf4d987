// Package applicationautoscaling is the face of the autoscaler: Application
// Auto Scaling's API for the desired count of ECS services. It checks the form
// of what callers say and translates between the SDK's types and ours; it
// keeps nothing of its own.
package applicationautoscaling

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"neargate/internal/autoscaler"
	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

type service struct {
	scaler *autoscaler.Autoscaler
	place  model.Place
}

// New creates the face of an autoscaler.
func New(scaler *autoscaler.Autoscaler, place model.Place) wire.Service {
	s := &service{scaler: scaler, place: place}
	return wire.Service{
		SigningName:  "application-autoscaling",
		TargetPrefix: "AnyScaleFrontendService",
		Style:        wire.UpperCamel,
		Operations: []wire.Operation{
			wire.Op("DeleteScalingPolicy", s.deleteScalingPolicy),
			wire.Op("DeleteScheduledAction", s.deleteScheduledAction),
			wire.Op("DeregisterScalableTarget", s.deregisterScalableTarget),
			wire.Op("DescribeScalableTargets", s.describeScalableTargets),
			wire.Op("DescribeScalingActivities", s.describeScalingActivities),
			wire.Op("DescribeScalingPolicies", s.describeScalingPolicies),
			wire.Op("DescribeScheduledActions", s.describeScheduledActions),
			wire.Op("GetPredictiveScalingForecast", s.getPredictiveScalingForecast),
			wire.Op("ListTagsForResource", s.listTagsForResource),
			wire.Op("PutScalingPolicy", s.putScalingPolicy),
			wire.Op("PutScheduledAction", s.putScheduledAction),
			wire.Op("RegisterScalableTarget", s.registerScalableTarget),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagResource", s.untagResource),
		},
	}
}

const validation = "ValidationException"

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, validation, format, args...)
}

// subject is the scalable target that an operation is about.
type subject struct {
	namespace types.ServiceNamespace
	resource  *string
	dimension types.ScalableDimension
}

// check notes what is missing or malformed.
func (s subject) check(c *wire.Checks) {
	namespaces(c, s.namespace)
	c.Text("resourceId", s.resource, 1, 1600)
	c.Required("scalableDimension", s.dimension != "")
	dimensions(c, s.dimension)
}

// scales reports whether the subject is of the kind that is scaled here.
func (s subject) scales() error {
	if string(s.namespace) != autoscaler.Namespace || string(s.dimension) != autoscaler.Dimension {
		return invalid("Unsupported service namespace, resource type or scalable dimension")
	}
	return nil
}

func namespaces(c *wire.Checks, n types.ServiceNamespace) {
	c.Required("serviceNamespace", n != "")
	c.OneOf("serviceNamespace", string(n), texts(n.Values())...)
}

func dimensions(c *wire.Checks, d types.ScalableDimension) {
	c.OneOf("scalableDimension", string(d), texts(d.Values())...)
}

func texts[T ~string](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

// page cuts a page of a list that is sorted by key. InvalidNextTokenException.
func page[T any](items []T, key func(T) string, token *string, limit int32) ([]T, *string, error) {
	cut, next, ok := wire.Page(items, key, aws.ToString(token), int(limit))
	if !ok {
		return nil, nil, model.Errorf(model.Invalid, "InvalidNextTokenException", "The next token supplied was invalid.")
	}
	if next == "" {
		return cut, nil, nil
	}
	return cut, &next, nil
}

// picks reports whether a describe operation that asks for a dimension also says
// of which resource.
func picks(d types.ScalableDimension, resources int) error {
	if d != "" && resources == 0 {
		return invalid("A scalable dimension can only be specified together with a resource ID.")
	}
	return nil
}
