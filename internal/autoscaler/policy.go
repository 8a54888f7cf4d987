package autoscaler

import (
	"context"
	"errors"

	"neargate/internal/decide/policy"
	"neargate/internal/model"
)

const maxPolicies = 50 // of one target [quotas]

// policyKey orders policies by resource ID, then name. With no name it is the
// prefix of all policies of the target.
func policyKey(resourceID, name string) string { return resourceID + "\n" + name }

// PutPolicy creates or replaces a policy and its managed alarms. Of p, the
// resource ID, the name, the type and the configuration of that type are read.
// ValidationException, ObjectNotFoundException, LimitExceededException.
func (a *Autoscaler) PutPolicy(ctx context.Context, p model.ScalingPolicy) (model.ScalingPolicy, error) {
	a.admin.Lock()
	defer a.admin.Unlock()
	target, ok := a.targets.Get(p.ResourceID)
	if !ok {
		return p, noTarget(p.ResourceID)
	}
	svc, err := a.service(p.ResourceID)
	if err != nil {
		return p, err
	}
	if err := policy.Check(p, svc); err != nil {
		return p, err
	}
	siblings := a.policies.List(policyKey(p.ResourceID, ""))
	var old model.ScalingPolicy
	for _, s := range siblings {
		if s.Name == p.Name {
			old = s
			continue
		}
		if err := policy.Beside(p, s); err != nil {
			return p, err
		}
	}
	if old.Name == "" && len(siblings) >= maxPolicies {
		return p, model.Errorf(model.Throttled, "LimitExceededException", "You have reached the limit of %d scaling policies for the scalable target.", maxPolicies)
	}
	p.Namespace, p.Dimension, p.Type = Namespace, Dimension, string(policy.Type(p))
	p.ARN, p.CreatedAt = old.ARN, old.CreatedAt
	if old.Name == "" {
		p.ARN = a.cfg.Place.PolicyARN(target.PolicyUUID, Namespace, p.ResourceID, p.Name)
		p.CreatedAt = a.now()
	}
	p.AlarmNames = alarmNames(p)
	if err := a.putAlarms(ctx, target, p); err != nil {
		return p, err
	}
	if err := a.policies.Put(ctx, policyKey(p.ResourceID, p.Name), p); err != nil {
		return p, err
	}
	return p, a.dropAlarms(ctx, old.AlarmNames)
}

// DeletePolicy removes a policy and its alarms. ObjectNotFoundException.
func (a *Autoscaler) DeletePolicy(ctx context.Context, resourceID, name string) error {
	a.admin.Lock()
	defer a.admin.Unlock()
	p, ok := a.policies.Get(policyKey(resourceID, name))
	if !ok {
		return noPolicy(resourceID, name)
	}
	return a.dropPolicy(ctx, p)
}

func noPolicy(resourceID, name string) error {
	return model.Errorf(model.NotFound, "ObjectNotFoundException",
		"No scaling policy found for service namespace: %s, resource ID: %s, scalable dimension: %s, policy name: %s", Namespace, resourceID, Dimension, name)
}

func (a *Autoscaler) dropPolicy(ctx context.Context, p model.ScalingPolicy) error {
	if _, err := a.policies.Delete(ctx, policyKey(p.ResourceID, p.Name)); err != nil {
		return err
	}
	if _, err := a.forecasts.Delete(ctx, policyKey(p.ResourceID, p.Name)); err != nil {
		return err
	}
	return a.dropAlarms(ctx, p.AlarmNames)
}

// dropAlarms deletes managed alarms; one that a user has deleted already is no
// error.
func (a *Autoscaler) dropAlarms(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	err := a.alarms.DeleteAlarms(ctx, names)
	if e, ok := errors.AsType[*model.Error](err); ok && e.Kind == model.NotFound {
		return nil
	}
	return err
}

// Policies returns all policies by resource ID and name.
func (a *Autoscaler) Policies() []model.ScalingPolicy { return a.policies.List("") }
