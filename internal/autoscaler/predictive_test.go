package autoscaler

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"neargate/internal/decide/forecast"
	"neargate/internal/decide/policy"
	"neargate/internal/model"
)

// past is a history of days with 300 % of a task's CPU from 13:00 to 20:00 and
// 100 % else, from a moment on.
type past struct {
	since time.Time
	reads int
	err   error
}

func (p *past) Minutes(queries []model.MetricQuery, from, to time.Time) (out []forecast.Minute, err error) {
	p.reads++
	if queries[0].Metric.Name != "CPUUtilization" || queries[0].Statistic != "Sum" || p.err != nil {
		return nil, p.err
	}
	if from.Before(p.since) {
		from = p.since
	}
	for m := from.Truncate(time.Minute); m.Before(to); m = m.Add(time.Minute) {
		v := 100.0
		if m.Hour() >= 13 && m.Hour() < 20 {
			v = 300
		}
		out = append(out, forecast.Minute{At: m, Value: v})
	}
	return out, nil
}

// foreseeing is a rig with a history that began days before its noon.
func foreseeing(t *testing.T, days int) (*rig, *past) {
	t.Helper()
	r := fresh(t)
	h := &past{since: r.clock.AddDate(0, 0, -days)}
	r.cfg.History = h
	return r, h
}

func predictive() model.ScalingPolicy {
	return model.ScalingPolicy{Name: "forecast", ResourceID: web, Predictive: &model.Predictive{
		Mode:    policy.ForecastAndScale,
		Metrics: model.PredictiveMetrics{Target: 50, Pair: model.PredictiveMetric{Type: "ECSServiceCPUUtilization"}},
	}}
}

// until lets the clock go on to an hour of the day, second by second from two
// minutes before it on, at a load that needs one task.
func (r *rig) until(hour string) {
	r.t.Helper()
	at, err := time.Parse("15:04:05", hour)
	if err != nil {
		r.t.Fatal(err)
	}
	y, m, d := r.clock.Date()
	r.clock = time.Date(y, m, d, at.Hour(), at.Minute()-2, at.Second(), 0, time.UTC)
	for range 120 {
		r.foretellDue(r.t.Context())
		r.seconds(1, 1)
	}
}

func TestPredictivePolicyIsAFloor(t *testing.T) {
	r, _ := foreseeing(t, 14)
	r.register(1, 20)
	r.put(tracking("cpu"))
	r.put(predictive())
	r.until("12:54:58")
	if got := r.desired(); got != 2 {
		t.Fatalf("more than five minutes before the busy hour: desired %d, want 2", got)
	}
	r.until("12:56:00")
	if got := r.desired(); got != 6 {
		t.Fatalf("five minutes before the busy hour: desired %d, want 6; %+v", got, r.Reasons(web, 3))
	}
	const why = "forecast load 18000 of the hour from 2026-05-01 13:00 UTC at 3000 per task needs 6 (tried on the past it was off by 0 %)"
	act := r.Activities(web)[0]
	if act.Cause != "predictive scaling policy forecast: "+why || act.Details != why || act.Description != "Setting desired count to 6." {
		t.Errorf("activity %+v", act)
	}
	r.until("14:00:00") // one task would do, and the policy for CPU knows it
	if got := r.desired(); got != 6 {
		t.Errorf("in the busy hours: desired %d, want 6", got)
	}
	if n, ok := r.Predicted(web); !ok || n != 6 {
		t.Errorf("predicted capacity %d, %v", n, ok)
	}
	r.until("20:30:00")
	if got := r.desired(); got != 2 {
		t.Errorf("after the busy hours: desired %d, want 2; %+v", got, r.Reasons(web, 3))
	}
}

func TestForecastOnlyMovesNothing(t *testing.T) {
	r, _ := foreseeing(t, 14)
	r.register(1, 20)
	p := predictive()
	p.Predictive.Mode = ""
	r.put(p)
	r.until("13:30:00")
	if got := r.desired(); got != 2 {
		t.Errorf("desired %d, want 2", got)
	}
	if n, ok := r.Predicted(web); !ok || n != 6 {
		t.Errorf("predicted capacity %d, %v, want 6", n, ok)
	}
}

func TestForecastIsMadeAnewEachSixHours(t *testing.T) {
	r, h := foreseeing(t, 14)
	r.register(1, 20)
	r.put(predictive())
	look := func(after time.Duration) int {
		r.clock = r.clock.Add(after)
		before := h.reads
		r.foretellDue(t.Context())
		return h.reads - before
	}
	for i, c := range []struct {
		after time.Duration
		reads int
	}{{time.Second, 1}, {time.Second, 0}, {time.Minute, 0}, {5 * time.Hour, 0}, {59 * time.Minute, 1}, {time.Second, 0}, {-3 * time.Hour, 1}, {time.Minute, 0}} {
		if got := look(c.after); got != c.reads {
			t.Errorf("look %d after %v: %d reads, want %d", i, c.after, got, c.reads)
		}
	}
	_, f, err := r.Forecast(t.Context(), web, "forecast")
	if err != nil {
		t.Fatal(err)
	}
	if first, last := f.Hours[0].At, f.Hours[len(f.Hours)-1].At; len(f.Hours) != int(last.Sub(first)/time.Hour)+1 {
		t.Errorf("%d hours from %s to %s", len(f.Hours), first, last)
	}
}

func TestForecastNeedsADayAndIsTriedAgain(t *testing.T) {
	r, h := foreseeing(t, 0)
	h.since = r.clock.Add(-23 * time.Hour)
	r.register(1, 20)
	r.put(predictive())
	r.foretellDue(t.Context())
	_, _, err := r.Forecast(t.Context(), web, "forecast")
	if e, ok := errors.AsType[*model.Error](err); !ok || e.Code != "ValidationException" || !strings.Contains(e.Msg, "A minimum of 24 hours of data is required") {
		t.Errorf("error %v", err)
	}
	if _, ok := r.Predicted(web); ok {
		t.Error("a capacity is predicted from less than a day")
	}
	r.clock = r.clock.Add(time.Hour)
	r.foretellDue(t.Context())
	if _, ok := r.Predicted(web); !ok {
		t.Error("nothing is predicted after a day")
	}
}

func TestForecastOutlivesTheServerAndGoesWithItsPolicy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	r := newRig(t, path)
	r.cfg.History = &past{since: r.clock.AddDate(0, 0, -14)}
	r.register(1, 20)
	r.put(predictive())
	r.foretellDue(t.Context())
	r = r.restart(path)
	if n, ok := r.Predicted(web); !ok || n != 2 {
		t.Errorf("after a restart: predicted %d, %v, want 2", n, ok)
	}
	if err := r.DeletePolicy(t.Context(), web, "forecast"); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.Predicted(web); ok || r.forecasts.Len() > 0 {
		t.Error("the policy is gone and its forecast is there")
	}
	_, _, err := r.Forecast(t.Context(), web, "forecast")
	if e, ok := errors.AsType[*model.Error](err); !ok || e.Code != "ObjectNotFoundException" {
		t.Errorf("forecast of a deleted policy: %v", err)
	}
}

func TestAnotherTargetNeedsAnotherForecast(t *testing.T) {
	r, _ := foreseeing(t, 14)
	r.register(1, 20)
	r.put(predictive())
	r.foretellDue(t.Context())
	p := predictive()
	p.Predictive.Metrics.Target = 25
	r.put(p)
	if _, ok := r.Predicted(web); ok {
		t.Error("the forecast for the old target is still followed")
	}
	if _, _, err := r.Forecast(t.Context(), web, "forecast"); err != nil {
		t.Fatal(err)
	}
	if n, ok := r.Predicted(web); !ok || n != 4 {
		t.Errorf("predicted %d, %v, want 4", n, ok)
	}
}

func TestUnreadablePastMovesNothing(t *testing.T) {
	r, h := foreseeing(t, 14)
	h.err = errors.New("disk on fire")
	r.register(1, 20)
	r.put(predictive())
	r.until("13:30:00")
	if got := r.desired(); got != 2 {
		t.Errorf("desired %d, want 2", got)
	}
}
