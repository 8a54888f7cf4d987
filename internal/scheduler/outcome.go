package scheduler

import (
	"context"

	"neargate/internal/model"
)

// complete ends the primary deployment well.
func (o *owner) complete(ctx context.Context, svc model.Service) {
	cluster, name := o.name()
	if err := o.s.records.CompleteDeployment(context.WithoutCancel(ctx), cluster, name); err != nil {
		o.s.log.Error("complete deployment", "service", o.key, "err", err)
	}
	o.say("(deployment %s) deployment completed.", svc.Deployments[0].ID)
}

// fail ends the primary deployment badly and goes back to an earlier one, if
// the service is to.
func (o *owner) fail(ctx context.Context, svc model.Service) {
	cluster, name := o.name()
	back, err := o.s.records.FailDeployment(context.WithoutCancel(ctx), cluster, name)
	if err != nil {
		o.s.log.Error("fail deployment", "service", o.key, "err", err)
	}
	o.say("(deployment %s) deployment failed: tasks failed to start.", svc.Deployments[0].ID)
	if back != "" {
		o.say("rolling back to deployment %s.", back)
	}
}

// gone makes a deleted service INACTIVE.
func (o *owner) gone(ctx context.Context) {
	cluster, name := o.name()
	if err := o.s.records.EndService(context.WithoutCancel(ctx), cluster, name); err != nil {
		o.s.log.Error("end service", "service", o.key, "err", err)
	}
}
