package sim_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"neargate/internal/decide/forecast"
	"neargate/internal/model"
	"neargate/internal/sim"
)

func predictive(m model.PredictiveMetrics) model.ScalingPolicy {
	m.Target = 50
	return model.ScalingPolicy{Name: "ahead", ResourceID: "service/c/s", Predictive: &model.Predictive{Mode: "ForecastAndScale", Metrics: m}}
}

func own(namespace, name, statistic string) model.PredictiveMetric {
	return model.PredictiveMetric{Queries: []model.MetricQuery{{ID: "m", Metric: model.MetricID{Namespace: namespace, Name: name}, Statistic: statistic}}}
}

// TestHistoryByHand: 4.5 requests a second of 0.1 s use 0.45 vCPU, which is
// 45 % of a task of one vCPU in all and 22.5 % of each of two; the requests of a
// minute are 270.
func TestHistoryByHand(t *testing.T) {
	const label = "app/alb/0/targetgroup/web/0"
	end := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	h := sim.History{End: end, Rates: constant(4.5, 120), Demand: 100 * time.Millisecond, TaskVCPU: 1, Tasks: func(float64) int { return 2 }}
	for _, row := range []struct {
		name                string
		metrics             model.PredictiveMetrics
		load, metric, tasks float64 // 0: not read
	}{
		{name: "CPU", metrics: model.PredictiveMetrics{Pair: model.PredictiveMetric{Type: "ECSServiceCPUUtilization"}}, load: 45},
		{name: "requests", metrics: model.PredictiveMetrics{Pair: model.PredictiveMetric{Type: "ALBRequestCount", ResourceLabel: label}}, load: 270},
		{
			name: "requests by CPU", load: 270, metric: 22.5, tasks: 2,
			metrics: model.PredictiveMetrics{
				Scaling: model.PredictiveMetric{Type: "ECSServiceAverageCPUUtilization"},
				Load:    model.PredictiveMetric{Type: "TotalALBRequestCount", ResourceLabel: label},
			},
		},
	} {
		past, err := h.Past(predictive(row.metrics))
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		for what, one := range map[string]struct {
			got  []forecast.Minute
			want float64
		}{"load": {past.Load, row.load}, "metric": {past.Metric, row.metric}, "tasks": {past.Tasks, row.tasks}} {
			if one.want == 0 && len(one.got) == 0 {
				continue
			}
			if len(one.got) != 2 || !one.got[0].At.Equal(end.Add(-2*time.Minute)) || !one.got[1].At.Equal(end.Add(-time.Minute)) {
				t.Fatalf("%s: %s %v, want the two minutes before the end", row.name, what, one.got)
			}
			for _, m := range one.got {
				if math.Abs(m.Value-one.want) > 1e-6 {
					t.Errorf("%s: %s %v, want %v", row.name, what, m.Value, one.want)
				}
			}
		}
	}
}

func TestHistoryHoldsNoMoreThanTheTasksCan(t *testing.T) {
	h := sim.History{End: time.Unix(60, 0), Rates: constant(100, 60), Demand: 100 * time.Millisecond, TaskVCPU: 1, Tasks: func(float64) int { return 3 }}
	past, err := h.Past(predictive(model.PredictiveMetrics{Pair: model.PredictiveMetric{Type: "ECSServiceCPUUtilization"}}))
	if err != nil || len(past.Load) != 1 || math.Abs(past.Load[0].Value-300) > 1e-6 {
		t.Errorf("ten vCPU on three tasks of one: %v, %v; want 300 %%", past.Load, err)
	}
}

func TestHistoryRefusesWhatALoadDoesNotTell(t *testing.T) {
	const alb = "AWS/ApplicationELB"
	h := sim.History{End: time.Unix(60, 0), Rates: constant(1, 60), Demand: 100 * time.Millisecond, TaskVCPU: 1, Tasks: func(float64) int { return 1 }}
	for want, m := range map[string]model.PredictiveMetrics{
		"TargetResponseTime before the run":         {Scaling: own(alb, "TargetResponseTime", "p99"), Load: own(alb, "RequestCount", "Sum")},
		"MemoryUtilization before the run":          {Pair: model.PredictiveMetric{Type: "ECSServiceMemoryUtilization"}},
		`metric "MyQueue" of Shop is not simulated`: {Scaling: own("AWS/ECS", "CPUUtilization", "Average"), Load: own("Shop", "MyQueue", "Sum")},
	} {
		if _, err := h.Past(predictive(m)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
