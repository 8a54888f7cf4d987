package sim

import (
	"fmt"
	"slices"
	"time"

	"neargate/internal/decide/forecast"
	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// When the server makes forecasts: every six hours, and while the past is too
// short every ten minutes.
const (
	forecastEvery = 6 * time.Hour
	forecastRetry = 10 * time.Minute
)

// foresight is a predictive policy with what it has seen and foretold.
type foresight struct {
	put                 model.ScalingPolicy
	load, metric, tasks tape
	forecast            model.Forecast
	made                bool
	tried               time.Time
}

// tape keeps a statistic of a metric by the minute.
type tape struct {
	on     bool
	meter  meter
	minute time.Time // that is under way
	sum    gauge
	past   []forecast.Minute
}

// foresee adds a predictive policy, whose metrics had past before the run.
func (d *Decider) foresee(put model.ScalingPolicy, past policy.Past) error {
	f := foresight{put: put}
	src := policy.SourcesOf(put.ResourceID, put.Predictive.Metrics)
	for _, one := range []struct {
		to   *tape
		from []model.MetricQuery
		past []forecast.Minute
	}{{&f.load, src.Load, past.Load}, {&f.metric, src.Metric, past.Metric}, {&f.tasks, src.Tasks, past.Tasks}} {
		if one.from == nil {
			continue
		}
		if len(one.from) > 1 || one.from[0].Expression != "" {
			return fmt.Errorf("policy %s: metric math of predictive policies is not simulated", put.Name)
		}
		m, err := newMeter(one.from[0].Metric.Name, one.from[0].Statistic)
		if err != nil {
			return err
		}
		*one.to = tape{on: true, meter: m, past: slices.Clone(one.past)}
	}
	d.foresight = append(d.foresight, f)
	return nil
}

// floor joins what the predictive policies demand at now.
func (d *Decider) floor(now time.Time) (floor scaling.Floor) {
	for i := range d.foresight {
		f := &d.foresight[i]
		f.foretell(now)
		if f.made {
			floor = policy.Higher(floor, policy.Floor(f.put, f.forecast, d.cfg.Max, now))
		}
	}
	return floor
}

// foretell makes the forecast when one is due. A clock that went back makes it
// so too.
func (f *foresight) foretell(now time.Time) {
	within := func(since time.Time, d time.Duration) bool { return !now.Before(since) && now.Before(since.Add(d)) }
	if f.made && within(f.forecast.MadeAt, forecastEvery) || within(f.tried, forecastRetry) {
		return
	}
	f.tried = now
	from, to := policy.Since(now), now.Truncate(time.Hour)
	past := policy.Past{Load: f.load.between(from, to), Metric: f.metric.between(from, to), Tasks: f.tasks.between(from, to)}
	if next, ok := policy.Foretell(f.put, past, now); ok {
		f.forecast, f.made = policy.After(f.forecast, next), true
	}
}

func (f *foresight) second(s model.ServiceSecond, busy gauge, waited []float64) {
	for _, t := range []*tape{&f.load, &f.metric, &f.tasks} {
		if t.on {
			t.second(s, busy, waited)
		}
	}
}

// second takes a second in; a minute is on the tape once its last second is.
func (t *tape) second(s model.ServiceSecond, busy gauge, waited []float64) {
	minute := s.At.Add(-time.Second).Truncate(time.Minute)
	if !minute.Equal(t.minute) {
		t.flush()
		t.minute = minute
	}
	t.meter.read(&t.sum, s, busy, waited)
	if !s.At.Before(minute.Add(time.Minute)) {
		t.flush()
	}
}

func (t *tape) flush() {
	last := len(t.past) - 1
	// A clock that went back must not put the past out of order.
	if v, missing := t.meter.value(t.sum); !missing && (last < 0 || t.past[last].At.Before(t.minute)) {
		t.past = append(t.past, forecast.Minute{At: t.minute, Value: v})
	}
	t.sum = gauge{}
}

func (t *tape) between(from, to time.Time) []forecast.Minute {
	at := func(x time.Time) int {
		i, _ := slices.BinarySearchFunc(t.past, x, func(m forecast.Minute, x time.Time) int { return m.At.Compare(x) })
		return i
	}
	return t.past[at(from):max(at(from), at(to))]
}
