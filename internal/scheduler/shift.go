package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"neargate/internal/decide/rollout/strategy"
	"neargate/internal/model"
)

// shift has a worker write the listener rules, unless one does.
func (o *owner) shift(ctx context.Context, svc model.Service, to strategy.Shift, now time.Time) {
	if o.shifting || now.Before(o.shiftAt) {
		o.later(o.shiftAt)
		return
	}
	o.shifting = true
	lbs := strategy.Routed(svc, o.rulesOf(svc))
	o.s.work.Go(func() {
		err := o.s.carrier.shift(ctx, lbs, to)
		if ctx.Err() == nil {
			o.post(shifted{err})
		}
	})
}

// shift writes all rules, whatever becomes of one. Those that are gone or lead
// elsewhere are left: the next look at them finds the problem.
func (c carrier) shift(ctx context.Context, lbs []model.ServiceLoadBalancer, to strategy.Shift) error {
	var failed error
	for _, lb := range lbs {
		for rule, share := range map[string]int{lb.ProductionRule: to.Production, lb.TestRule: to.Test} {
			if rule == "" || share == strategy.Unsure {
				continue
			}
			if err := c.rules.SetForwards(ctx, rule, strategy.Weights(lb, share)); err != nil && !lost(err) {
				failed = fmt.Errorf("modify rule %s: %w", rule, err)
			}
		}
	}
	return failed
}

// lost reports whether a rule could not be written because it is gone or
// leads elsewhere.
func lost(err error) bool {
	var e *model.Error
	return errors.As(err, &e) && (e.Code == "RuleNotFound" || e.Code == "ResourceInUse")
}

// wrote takes the outcome of a shift.
func (o *owner) wrote(m shifted, now time.Time) {
	o.shifting = false
	text := ""
	if m.err != nil {
		o.s.log.Warn("shift traffic", "service", o.key, "err", m.err)
		text = "failed to shift traffic with (error " + model.Message(m.err) + ")."
		o.shiftAt = now.Add(time.Second)
	}
	o.journal.state(now, shiftFails, text)
}
