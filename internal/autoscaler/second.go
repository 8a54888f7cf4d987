package autoscaler

import (
	"context"
	"fmt"
	"time"

	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// watch is what is remembered of one scalable target.
type watch struct {
	state     scaling.State
	createdAt time.Time // of the target that state belongs to
	open      string    // key of the activity that is not fulfilled yet
	looked    bool      // open was looked for in the store
	notScaled string    // code of the newest record of not scaling
	unread    bool      // a customized metric could not be read
	quiet     time.Time // until then nothing is ordered: the last order was refused
	written   time.Time // state.Last when state was last written
}

// refusedPause is how long after a refused order the next one is tried.
const refusedPause = 15 * time.Second

// second decides one service's second.
func (a *Autoscaler) second(ctx context.Context, s *model.ServiceSecond) {
	id := policy.Resource(s.Cluster, s.Service)
	svc, ok := a.sched.Service(s.Cluster, s.Service)
	if !ok || svc.Status != model.Active {
		return
	}
	target, ok := a.targets.Get(id)
	if !ok || a.outlived(target) {
		a.followLast(ctx, id, svc, s)
		return
	}
	w := a.watch(target)
	now := a.now()
	a.follow(ctx, w, svc, s, now)
	policies := a.policies.List(policyKey(id, ""))
	cfg := a.config(target, svc, policies)
	cfg.Floor = a.floor(target, policies, now)
	obs := scaling.Observation{Second: *s, Measured: true, Desired: svc.DesiredCount, Deploying: policy.Deploying(svc)}
	obs.Ringing = a.ringing(policies)
	obs.Values = a.values(w, id, cfg, policies, now)
	if cfg.Timing != scaling.Live {
		obs.Alarms = a.states(policies)
	}
	before := w.state.Order
	var d scaling.Decision
	d, w.state = scaling.Decide(cfg, w.state, obs, now)
	if w.state.Order != before {
		a.report(ctx, "memory of decisions not kept", id, a.memorize(ctx, id, w))
	}
	a.remember(id, d, svc.DesiredCount, now)
	a.hold(id, svc, d.PerTask, now)
	switch {
	case d.Desired != svc.DesiredCount:
		if left := w.quiet.Sub(now); left > 0 && left <= refusedPause { // more: the clock went back
			return
		}
		err := a.order(ctx, w, id, svc, d.Desired, order{cause: a.cause(cfg, d, policies), details: d.Reason.String()}, now)
		if err != nil {
			w.quiet = now.Add(refusedPause)
		}
	case d.NotScaled != "" && d.NotScaled != w.notScaled:
		w.notScaled = d.NotScaled
		a.report(ctx, "not-scaled reason not kept", id, a.recordNotScaled(ctx, id, cfg, d, a.cause(cfg, d, policies), now))
	}
}

// config is a target with its policies as decide/scaling takes it.
func (a *Autoscaler) config(t model.ScalableTarget, svc model.Service, policies []model.ScalingPolicy) scaling.Config {
	cfg := a.bounded(t)
	cfg.Policies = policy.OfService(policies, svc)
	return cfg
}

// cause says what led to a decision, in AWS's words where an alarm did.
func (a *Autoscaler) cause(cfg scaling.Config, d scaling.Decision, policies []model.ScalingPolicy) string {
	if step := d.Reason.Step; step.Alarm != "" {
		return fmt.Sprintf("monitor alarm %s in state %s triggered policy %s", step.Alarm, step.State, d.Policy)
	}
	if d.Reason.Kind == scaling.First {
		return firstRequest
	}
	if d.Reason.Forecast.Tasks > 0 {
		return fmt.Sprintf("predictive scaling policy %s: %s", d.Policy, d.Reason)
	}
	if cfg.Timing == scaling.Live {
		return fmt.Sprintf("policy %s in live timing: %s", d.Policy, d.Reason)
	}
	for _, p := range policies {
		for _, k := range policy.Kinds(p) { // high first, as it goes before the low one
			if p.Name == d.Policy && a.inAlarm(p, k) {
				return fmt.Sprintf("monitor alarm %s in state ALARM triggered policy %s", alarmOf(p, k), p.Name)
			}
		}
	}
	return fmt.Sprintf("policy %s: %s", d.Policy, d.Reason)
}
