package sim

import (
	"errors"
	"slices"
	"time"

	"neargate/internal/decide/forecast"
	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
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

// newForesight begins with what the metrics of a predictive policy had before.
func newForesight(put model.ScalingPolicy, past policy.Past) (foresight, error) {
	f := foresight{put: put}
	src := policy.SourcesOf(put.ResourceID, put.Predictive.Metrics)
	from := [][]model.MetricQuery{src.Load, src.Metric, src.Tasks}
	had := [][]forecast.Minute{past.Load, past.Metric, past.Tasks}
	for i, to := range f.tapes() {
		if from[i] == nil {
			continue
		}
		if len(from[i]) > 1 || from[i][0].Expression != "" {
			return f, errors.New("metric math of predictive policies is not simulated")
		}
		m, err := newMeter(from[i][0].Metric, from[i][0].Statistic)
		if err != nil {
			return f, err
		}
		*to = tape{on: true, meter: m, past: slices.Clone(had[i])}
	}
	return f, nil
}

func (f *foresight) tapes() [3]*tape { return [3]*tape{&f.load, &f.metric, &f.tasks} }

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

// foretell creates the forecast when one is due.
func (f *foresight) foretell(now time.Time) {
	if !policy.ForecastDue(f.put, f.forecast, f.tried, now) {
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
	for _, t := range f.tapes() {
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
