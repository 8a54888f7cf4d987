package autoscaler

import (
	"context"
	"fmt"
	"maps"
	"time"

	"neargate/internal/decide/forecast"
	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// History is where the load of the past is read.
type History interface {
	// Minutes returns what the one of queries that returns data has by the
	// minute, oldest first; minutes without data are not there.
	Minutes(queries []model.MetricQuery, from, to time.Time) ([]forecast.Minute, error)
}

// forecastLook is how often it is seen what is due.
const forecastLook = 10 * time.Second

// foretellDue makes the forecast that has waited longest, if one is due: one at
// a time, as reading two weeks of a metric takes as long as deciding for a
// hundred services.
func (a *Autoscaler) foretellDue(ctx context.Context) {
	now := a.now()
	if !now.Before(a.looked) && now.Before(a.looked.Add(forecastLook)) {
		return
	}
	for _, p := range a.policies.List("") {
		key := policyKey(p.ResourceID, p.Name)
		if p.Predictive == nil {
			continue
		}
		if f, _ := a.forecasts.Get(key); !policy.ForecastDue(p, f, a.tried[key], now) {
			continue
		}
		a.tried[key] = now
		_, _, err := a.foretell(ctx, p)
		a.report(ctx, "forecast not made", p.ResourceID, err)
		return
	}
	a.looked = now
	maps.DeleteFunc(a.tried, func(_ string, at time.Time) bool { return now.Sub(at) > policy.ForecastRetry })
}

// foretell makes and keeps the forecast of a policy. ok is false when the past
// is too short.
func (a *Autoscaler) foretell(ctx context.Context, p model.ScalingPolicy) (f model.Forecast, ok bool, err error) {
	if a.cfg.History == nil {
		return f, false, nil
	}
	now := a.now()
	var past policy.Past
	src := policy.SourcesOf(p.ResourceID, p.Predictive.Metrics)
	for _, one := range []struct {
		from []model.MetricQuery
		to   *[]forecast.Minute
	}{{src.Load, &past.Load}, {src.Metric, &past.Metric}, {src.Tasks, &past.Tasks}} {
		if one.from == nil {
			continue
		}
		if *one.to, err = a.cfg.History.Minutes(one.from, policy.Since(now), now.Truncate(time.Hour)); err != nil {
			return f, false, fmt.Errorf("read the past of policy %s: %w", p.Name, err)
		}
	}
	if f, ok = policy.Foretell(p, past, now); !ok {
		return f, false, nil
	}
	a.admin.Lock()
	defer a.admin.Unlock()
	key := policyKey(p.ResourceID, p.Name)
	if cur, there := a.policies.Get(key); !there || cur.Predictive == nil || !policy.SameMetrics(cur.Predictive.Metrics, f.Metrics) {
		return f, false, nil // deleted or changed meanwhile
	}
	f, err = a.forecasts.Update(ctx, key, func(old model.Forecast, _ bool) (model.Forecast, error) {
		return policy.After(old, f), nil
	})
	a.log.Info("forecast made", "resource", p.ResourceID, "policy", p.Name, "method", f.Method, "error", f.Error, "trusted", f.Trusted)
	return f, err == nil, err
}

// Forecast returns the forecast of a predictive policy, making the first one when
// there is none yet. ObjectNotFoundException, ValidationException.
func (a *Autoscaler) Forecast(ctx context.Context, resourceID, name string) (model.ScalingPolicy, model.Forecast, error) {
	key := policyKey(resourceID, name)
	p, ok := a.policies.Get(key)
	switch {
	case !ok:
		return p, model.Forecast{}, noPolicy(resourceID, name)
	case p.Predictive == nil:
		return p, model.Forecast{}, invalid("Scaling policy %s is not a predictive scaling policy.", name)
	}
	if f, ok := a.forecasts.Get(key); ok && policy.SameMetrics(f.Metrics, p.Predictive.Metrics) {
		return p, f, nil
	}
	f, ok, err := a.foretell(ctx, p)
	if err == nil && !ok {
		err = invalid("No forecast is available for policy %s. A minimum of 24 hours of data is required to create the initial forecast.", name)
	}
	return p, f, err
}

// Predicted is the capacity that is forecast for a target now; ok is false
// without a forecast.
func (a *Autoscaler) Predicted(resourceID string) (tasks int, ok bool) {
	for _, p := range a.policies.List(policyKey(resourceID, "")) {
		if f, there := a.forecastOf(p); there {
			if n, found := policy.Predicted(f, a.now()); found {
				tasks, ok = max(tasks, n), true
			}
		}
	}
	return tasks, ok
}

// floor joins what the predictive policies of a target demand at now.
func (a *Autoscaler) floor(t model.ScalableTarget, policies []model.ScalingPolicy, now time.Time) (floor scaling.Floor) {
	for _, p := range policies {
		if f, ok := a.forecastOf(p); ok {
			floor = policy.Higher(floor, policy.Floor(p, f, t.Max, now))
		}
	}
	return floor
}

// forecastOf returns the forecast of a policy, if it is predictive and the
// forecast was made for its metrics.
func (a *Autoscaler) forecastOf(p model.ScalingPolicy) (model.Forecast, bool) {
	if p.Predictive == nil {
		return model.Forecast{}, false
	}
	f, ok := a.forecasts.Get(policyKey(p.ResourceID, p.Name))
	return f, ok && policy.SameMetrics(f.Metrics, p.Predictive.Metrics)
}
