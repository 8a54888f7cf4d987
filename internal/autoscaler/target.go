package autoscaler

import (
	"context"
	"time"

	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
	"neargate/internal/random"
)

// The only namespace and dimension that are scaled.
const (
	Namespace = "ecs"
	Dimension = "ecs:service:DesiredCount"
)

// TimingTag is the tag of a scalable target that sets its timing.
const TimingTag = "neargate:timing"

const (
	maxTargets = 3000 // in a region [quotas]
	maxTags    = 50
)

// Registration is a request to create or update a scalable target; nil fields
// stay as they are.
type Registration struct {
	ResourceID                          string // "service/CLUSTER/SERVICE"
	Min, Max                            *int
	RoleARN                             string
	SuspendIn, SuspendOut, SuspendSched *bool
	Tags                                []model.Tag // on creation only
}

// RegisterTarget creates or updates a scalable target; a desired count outside
// its bounds is moved to the nearer one soon after. ValidationException,
// LimitExceededException, TooManyTagsException.
func (a *Autoscaler) RegisterTarget(ctx context.Context, r Registration) (model.ScalableTarget, error) {
	a.admin.Lock()
	defer a.admin.Unlock()
	svc, err := a.service(r.ResourceID)
	if err != nil {
		return model.ScalableTarget{}, err
	}
	if err := a.dropIfOutlived(ctx, r.ResourceID); err != nil {
		return model.ScalableTarget{}, err
	}
	t, err := a.targets.Update(ctx, r.ResourceID, func(cur model.ScalableTarget, exists bool) (model.ScalableTarget, error) {
		if exists {
			return r.update(cur)
		}
		if a.targets.Len() >= maxTargets {
			return cur, model.Errorf(model.Throttled, "LimitExceededException", "You have reached the limit of %d scalable targets.", maxTargets)
		}
		t, err := r.create(a.cfg.Place, a.now())
		t.Service = svc.CreatedAt
		return t, err
	})
	if err != nil {
		return t, err
	}
	a.uproot()
	a.bound(t, svc.DesiredCount)
	return t, nil
}

func (r Registration) create(place model.Place, now time.Time) (model.ScalableTarget, error) {
	t, err := r.Target()
	if err != nil {
		return t, err
	}
	t.ID, t.PolicyUUID, t.CreatedAt = random.Hex(36), random.UUID(), now
	t.ARN = place.ScalableTargetARN(t.ID)
	t.RoleARN = place.RoleARN("/aws-service-role/ecs.application-autoscaling.amazonaws.com/",
		"AWSServiceRoleForApplicationAutoScaling_ECSService")
	return t, nil
}

// Target returns what the request says of a target that is new.
// ValidationException, TooManyTagsException.
func (r Registration) Target() (model.ScalableTarget, error) {
	t := model.ScalableTarget{Namespace: Namespace, ResourceID: r.ResourceID, Dimension: Dimension, Tags: r.Tags}
	if r.Min == nil || r.Max == nil {
		return t, invalid("MinCapacity and MaxCapacity must be specified when registering a new scalable target.")
	}
	if err := checkTags(r.Tags); err != nil {
		return t, err
	}
	return r.apply(t)
}

func (r Registration) update(t model.ScalableTarget) (model.ScalableTarget, error) {
	if len(r.Tags) > 0 {
		return t, invalid("The scalable target that you tried to tag already exists. To update tags on an existing scalable target, use the TagResource API.")
	}
	return r.apply(t)
}

// apply puts the request's fields into t.
func (r Registration) apply(t model.ScalableTarget) (model.ScalableTarget, error) {
	set(&t.Min, r.Min)
	set(&t.Max, r.Max)
	set(&t.SuspendIn, r.SuspendIn)
	set(&t.SuspendOut, r.SuspendOut)
	set(&t.SuspendSched, r.SuspendSched)
	switch {
	case t.Min < 0:
		return t, invalid("Minimum capacity cannot be less than 0")
	case t.Max < t.Min:
		return t, invalid("Maximum capacity cannot be less than minimum capacity")
	}
	return t, nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// DeregisterTarget removes a scalable target with its policies, their alarms
// and its scheduled actions. ObjectNotFoundException.
func (a *Autoscaler) DeregisterTarget(ctx context.Context, resourceID string) error {
	a.admin.Lock()
	defer a.admin.Unlock()
	if _, ok := a.targets.Get(resourceID); !ok {
		return noTarget(resourceID)
	}
	return a.drop(ctx, resourceID)
}

// drop removes a scalable target and what belongs to it; admin is held.
func (a *Autoscaler) drop(ctx context.Context, resourceID string) error {
	for _, p := range a.policies.List(policyKey(resourceID, "")) {
		if err := a.dropPolicy(ctx, p); err != nil {
			return err
		}
	}
	if err := a.dropScheduled(ctx, resourceID); err != nil {
		return err
	}
	if err := a.forget(ctx, resourceID); err != nil {
		return err
	}
	_, err := a.targets.Delete(ctx, resourceID)
	a.mu.Lock()
	delete(a.reasons, resourceID)
	a.mu.Unlock()
	return err
}

// Targets returns all scalable targets by resource ID.
func (a *Autoscaler) Targets() []model.ScalableTarget { return a.targets.List("") }

// Target returns one scalable target.
func (a *Autoscaler) Target(resourceID string) (model.ScalableTarget, bool) {
	return a.targets.Get(resourceID)
}

// service returns the service that a resource ID names.
func (a *Autoscaler) service(resourceID string) (model.Service, error) {
	cluster, name, ok := policy.SplitResource(resourceID)
	if !ok {
		return model.Service{}, invalid("Unsupported service namespace, resource type or scalable dimension: resource ID %s is not service/CLUSTER/SERVICE", resourceID)
	}
	svc, ok := a.sched.Service(cluster, name)
	if !ok || svc.Status != model.Active {
		return model.Service{}, invalid("ECS service doesn't exist: %s", resourceID)
	}
	return svc, nil
}

func invalid(format string, args ...any) *model.Error {
	return model.Errorf(model.Invalid, "ValidationException", format, args...)
}

func noTarget(resourceID string) *model.Error {
	return model.Errorf(model.NotFound, "ObjectNotFoundException",
		"No scalable target registered for service namespace: %s, resource ID: %s, scalable dimension: %s", Namespace, resourceID, Dimension)
}

// checkTags refuses what cannot be tags of a scalable target.
func checkTags(tags []model.Tag) error {
	if len(tags) > maxTags {
		return model.Errorf(model.Invalid, "TooManyTagsException", "The request failed because the resource would have more than %d tags.", maxTags)
	}
	for _, tag := range tags {
		if tag.Key == TimingTag && !scaling.Timing(tag.Value).Valid() {
			return invalid("Tag %s is %q, want live, aws-60 or aws-20", TimingTag, tag.Value)
		}
	}
	return nil
}
