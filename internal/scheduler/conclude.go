package scheduler

import (
	"context"

	"neargate/internal/decide/rollout/strategy"
	"neargate/internal/model"
)

// conclude writes down what the step means for the deployments, and reports
// whether it wrote something.
func (o *owner) conclude(ctx context.Context, in strategy.Input, step strategy.Step) (wrote bool) {
	ctx = context.WithoutCancel(ctx)
	cluster, name := o.name()
	svc, now := in.Service, in.Now
	write := func(wanted bool, what string, call func() error) {
		if !wanted {
			return
		}
		if err := call(); err != nil {
			o.failed(what, err, now)
			return
		}
		wrote = true
	}
	write(step.Advanced, "advance deployment", func() error {
		a := model.Advance{Deployment: svc.Deployments[0].ID, From: svc.Deployments[0].Progress, To: step.Progress}
		if a.To.Placed && !a.From.Placed {
			a.LoadBalancers = strategy.Place(svc, o.rulesOf(svc))
		}
		return o.s.records.AdvanceDeployment(ctx, cluster, name, a)
	})
	write(len(step.Retire) > 0, "retire deployments", func() error {
		_, err := o.s.records.RetireDeployments(ctx, cluster, name, step.Retire)
		return err
	})
	write(step.Failure != nil, "fail deployment", func() error { return o.fail(ctx, svc, *step.Failure, in.Alarms, now) })
	write(step.Complete, "complete deployment", func() error {
		err := o.s.records.CompleteDeployment(ctx, cluster, name)
		if err == nil {
			o.journal.say(now, "(deployment %s) deployment completed.", svc.Deployments[0].ID)
		}
		return err
	})
	// The service is gone when the ends of all its tasks are written.
	write(step.Gone && len(o.entries) == 0, "end service", func() error { return o.s.records.EndService(ctx, cluster, name) })
	return wrote
}
