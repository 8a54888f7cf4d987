package policy

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/decide/forecast"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

const (
	web   = "service/c/web"
	label = "app/lb/50dc6c495c0c9188/targetgroup/tg/73e2d6bc24d8a067"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func predictive(change func(*model.Predictive)) model.ScalingPolicy {
	p := &model.Predictive{
		Mode:    ForecastAndScale,
		Metrics: model.PredictiveMetrics{Target: 50, Pair: model.PredictiveMetric{Type: "ECSServiceCPUUtilization"}},
	}
	if change != nil {
		change(p)
	}
	return model.ScalingPolicy{Name: "forecast", ResourceID: web, Predictive: p}
}

func TestCheckPredictive(t *testing.T) {
	svc := model.Service{Cluster: "c", Name: "web", LoadBalancers: []model.ServiceLoadBalancer{
		{TargetGroupARN: "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/tg/73e2d6bc24d8a067"},
	}}
	metrics := func(pair, scale, load string) func(*model.Predictive) {
		return func(p *model.Predictive) {
			p.Metrics.Pair.Type, p.Metrics.Scaling.Type, p.Metrics.Load.Type = pair, scale, load
			for _, m := range []*model.PredictiveMetric{&p.Metrics.Pair, &p.Metrics.Scaling, &p.Metrics.Load} {
				if strings.Contains(m.Type, "ALB") {
					m.ResourceLabel = label
				}
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*model.Predictive)
		msg    string // "" is accepted
	}{
		"pair of CPU":              {nil, ""},
		"pair of memory":           {metrics("ECSServiceMemoryUtilization", "", ""), ""},
		"pair of requests":         {metrics("ALBRequestCount", "", ""), ""},
		"CPU by requests":          {metrics("", "ECSServiceAverageCPUUtilization", "TotalALBRequestCount"), ""},
		"scaling metric alone":     {metrics("", "ECSServiceAverageCPUUtilization", ""), "A predictive scaling policy must have either"},
		"load metric alone":        {metrics("", "", "TotalALBRequestCount"), "A predictive scaling policy must have either"},
		"pair and load":            {metrics("ECSServiceCPUUtilization", "", "TotalALBRequestCount"), "A predictive scaling policy must have either"},
		"all three":                {metrics("ECSServiceCPUUtilization", "ECSServiceAverageCPUUtilization", "TotalALBRequestCount"), "A predictive scaling policy must have either"},
		"no metric":                {metrics("", "", ""), "A predictive scaling policy must have either"},
		"an average as a pair":     {metrics("ECSServiceAverageCPUUtilization", "", ""), "Predefined metric type ECSServiceAverageCPUUtilization is not supported as the metric pair"},
		"a total that scales":      {metrics("", "ECSServiceTotalCPUUtilization", "ECSServiceTotalCPUUtilization"), "Predefined metric type ECSServiceTotalCPUUtilization is not supported as the scaling metric"},
		"an average as a load":     {metrics("", "ECSServiceAverageCPUUtilization", "ECSServiceAverageCPUUtilization"), "Predefined metric type ECSServiceAverageCPUUtilization is not supported as the load metric"},
		"a metric of EC2":          {metrics("ASGCPUUtilization", "", ""), "Predefined metric type ASGCPUUtilization is not supported"},
		"requests without a label": {func(p *model.Predictive) { p.Metrics.Pair.Type = "ALBRequestCount" }, "Resource label should be specified"},
		"requests of another service": {func(p *model.Predictive) {
			p.Metrics.Pair.Type, p.Metrics.Pair.ResourceLabel = "ALBRequestCount", "app/lb/5/targetgroup/other/7"
		}, "Target group targetgroup/other/7 is not attached"},
		"CPU with a label": {func(p *model.Predictive) { p.Metrics.Pair.ResourceLabel = label }, "Resource label should not be specified"},
		"customized": {func(p *model.Predictive) {
			p.Metrics.Pair = model.PredictiveMetric{}
			p.Metrics.Scaling.Queries, p.Metrics.Load.Queries, p.Metrics.Capacity.Queries = custom("Average"), custom("Sum"), custom("Average")
		}, ""},
		"customized load, predefined scaling": {func(p *model.Predictive) {
			p.Metrics.Pair = model.PredictiveMetric{}
			p.Metrics.Scaling.Type, p.Metrics.Load.Queries = string(scaling.CPU), custom("Sum")
		}, ""},
		"customized with no query": {func(p *model.Predictive) {
			p.Metrics.Pair = model.PredictiveMetric{}
			p.Metrics.Scaling.Type, p.Metrics.Load.Queries = string(scaling.CPU), []model.MetricQuery{}
		}, "The customized metric specification is not valid."},
		"customized with two that return": {func(p *model.Predictive) {
			p.Metrics.Pair = model.PredictiveMetric{}
			two := append(custom("Sum"), custom("Sum")...)
			two[1].ID = "n"
			p.Metrics.Scaling.Type, p.Metrics.Load.Queries = string(scaling.CPU), two
		}, "Exactly one element of the metrics list should return data."},
		"customized and predefined": {func(p *model.Predictive) {
			p.Metrics.Pair = model.PredictiveMetric{}
			p.Metrics.Scaling.Type, p.Metrics.Load = string(scaling.CPU), model.PredictiveMetric{Type: "ECSServiceTotalCPUUtilization", Queries: custom("Sum")}
		}, "Only one of the predefined and the customized load metric"},
		"a pair with a capacity metric": {func(p *model.Predictive) { p.Metrics.Capacity.Queries = custom("Average") }, "A capacity metric cannot be"},
		"target 0":                      {func(p *model.Predictive) { p.Metrics.Target = 0 }, "Target value must be greater than 0."},
		"a target beyond all metrics":   {func(p *model.Predictive) { p.Metrics.Target = 1e308 }, "Target value must be at most 2^360."},
		"no number for a target":        {func(p *model.Predictive) { p.Metrics.Target = math.NaN() }, "Target value must be greater than 0."},
		"buffer of an hour":             {func(p *model.Predictive) { p.Buffer = new(3600) }, "SchedulingBufferTime must be"},
		"longest buffer":                {func(p *model.Predictive) { p.Buffer = new(3599) }, ""},
		"negative buffer":               {func(p *model.Predictive) { p.Buffer = new(-1) }, "SchedulingBufferTime must be"},
		"increase without a buffer":     {func(p *model.Predictive) { p.MaxBreach = IncreaseMaxCapacity }, "MaxCapacityBuffer is required"},
		"honour with a buffer":          {func(p *model.Predictive) { p.MaxBuffer = new(10) }, "MaxCapacityBuffer can only be specified"},
		"increase":                      {func(p *model.Predictive) { p.MaxBreach, p.MaxBuffer = IncreaseMaxCapacity, new(0) }, ""},
		"buffer of 101 %":               {func(p *model.Predictive) { p.MaxBreach, p.MaxBuffer = IncreaseMaxCapacity, new(101) }, "MaxCapacityBuffer must be"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check(predictive(c.change), svc)
			if c.msg == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if e, ok := errors.AsType[*model.Error](err); !ok || e.Code != "ValidationException" || !strings.HasPrefix(e.Msg, c.msg) {
				t.Errorf("error = %v, want %s", err, c.msg)
			}
		})
	}
}

// custom is one customized metric.
func custom(statistic string) []model.MetricQuery {
	return []model.MetricQuery{{ID: "m", Metric: model.MetricID{Namespace: "Shop", Name: "Orders"}, Statistic: statistic}}
}

// forecastOf is a forecast of so many tasks in the hours from noon on.
func forecastOf(tasks ...int) model.Forecast {
	f := model.Forecast{Trusted: true, Error: .1, Carry: 3000}
	for i, n := range tasks {
		f.Hours = append(f.Hours, model.ForecastHour{At: noon.Add(time.Duration(i) * time.Hour), Tasks: n, Load: 3000 * float64(n)})
	}
	return f
}

func TestFloorOfAPolicy(t *testing.T) {
	untrusted := forecastOf(4, 9)
	untrusted.Trusted = false
	for name, c := range map[string]struct {
		change func(*model.Predictive)
		f      model.Forecast
		at     string // after noon
		tasks  int
		max    int
	}{
		"this hour":                       {nil, forecastOf(4, 9, 2), "0s", 4, 0},
		"the next from five minutes on":   {nil, forecastOf(4, 9, 2), "54m59s", 4, 0},
		"before it":                       {nil, forecastOf(4, 9, 2), "55m", 9, 0},
		"in it":                           {nil, forecastOf(4, 9, 2), "1h", 9, 0},
		"until its end, if the next less": {nil, forecastOf(4, 9, 2), "1h59m59s", 9, 0},
		"then less":                       {nil, forecastOf(4, 9, 2), "2h", 2, 0},
		"a buffer of its own":             {func(p *model.Predictive) { p.Buffer = new(600) }, forecastOf(4, 9), "50m", 9, 0},
		"no buffer":                       {func(p *model.Predictive) { p.Buffer = new(0) }, forecastOf(4, 9), "59m59s", 4, 0},
		"the forecast has ended":          {nil, forecastOf(4, 9), "2h", 0, 0},
		"it begins in a moment":           {nil, forecastOf(4, 9), "-5m", 4, 0},
		"it has not begun":                {nil, forecastOf(4, 9), "-6m", 0, 0},
		"forecast only":                   {func(p *model.Predictive) { p.Mode = "ForecastOnly" }, forecastOf(4, 9), "0s", 0, 0},
		"forecast only is the default":    {func(p *model.Predictive) { p.Mode = "" }, forecastOf(4, 9), "0s", 0, 0},
		"a forecast that missed the past": {nil, untrusted, "0s", 0, 0},
		"AWS's example of the buffer":     {func(p *model.Predictive) { p.MaxBreach, p.MaxBuffer = IncreaseMaxCapacity, new(10) }, forecastOf(50), "0s", 50, 55},
		"close to the maximum":            {func(p *model.Predictive) { p.MaxBreach, p.MaxBuffer = IncreaseMaxCapacity, new(10) }, forecastOf(37), "0s", 37, 41},
		"far from the maximum":            {func(p *model.Predictive) { p.MaxBreach, p.MaxBuffer = IncreaseMaxCapacity, new(10) }, forecastOf(36), "0s", 36, 0},
		"honours the maximum":             {nil, forecastOf(50), "0s", 50, 0},
	} {
		t.Run(name, func(t *testing.T) {
			after, err := time.ParseDuration(c.at)
			if err != nil {
				t.Fatal(err)
			}
			got := Floor(predictive(c.change), c.f, 40, noon.Add(after))
			if got.Tasks != c.tasks || got.Max != c.max {
				t.Errorf("tasks %d, max %d; want %d, %d", got.Tasks, got.Max, c.tasks, c.max)
			}
		})
	}
}

func TestHigherFloor(t *testing.T) {
	a, b := scaling.Floor{Policy: "a", Tasks: 4, Max: 12}, scaling.Floor{Policy: "b", Tasks: 9}
	want := scaling.Floor{Policy: "b", Tasks: 9, Max: 12}
	if got := Higher(a, b); got != want || Higher(b, a) != want {
		t.Errorf("Higher = %+v and %+v, want %+v", got, Higher(b, a), want)
	}
}

func TestNewForecastFollowsWhatWasForetold(t *testing.T) {
	tasks := func(f model.Forecast) (out []int) {
		for _, h := range f.Hours {
			out = append(out, h.Tasks)
		}
		return out
	}
	next := forecastOf(7, 8)
	for i := range next.Hours {
		next.Hours[i].At = next.Hours[i].At.Add(2 * time.Hour)
	}
	if diff := cmp.Diff([]int{1, 2, 7, 8}, tasks(After(forecastOf(1, 2, 3, 4, 5), next))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	other := forecastOf(1, 2, 3)
	other.Metrics.Target = 60
	if diff := cmp.Diff([]int{7, 8}, tasks(After(other, next))); diff != "" {
		t.Errorf("after one for another target (-want +got):\n%s", diff)
	}
	old := forecastOf(1, 2)
	old.Hours[0].At = old.Hours[0].At.AddDate(-2, 0, 0)
	if diff := cmp.Diff([]int{2, 7, 8}, tasks(After(old, next))); diff != "" {
		t.Errorf("after one of two years ago (-want +got):\n%s", diff)
	}
}

// TestForetell has a service that used 300 % of one task's CPU in each minute
// by day and 100 % by night: at 50 % that is 6 and 2 tasks.
func TestForetell(t *testing.T) {
	now := noon.Add(20 * time.Minute)
	past := func(days int, at func(busy bool) float64) (out []forecast.Minute) {
		for m := noon.AddDate(0, 0, -days); m.Before(noon); m = m.Add(time.Minute) {
			out = append(out, forecast.Minute{At: m, Value: at(m.Hour() >= 8 && m.Hour() < 20)})
		}
		return out
	}
	cpu := past(14, func(busy bool) float64 { return map[bool]float64{true: 300, false: 100}[busy] })
	f, ok := Foretell(predictive(nil), Past{Load: cpu}, now)
	if !ok || !f.Trusted || f.Carry != 3000 || len(f.Hours) != forecast.Ahead || !f.Hours[0].At.Equal(noon) {
		t.Fatalf("forecast %v %+v", ok, f)
	}
	for _, h := range f.Hours {
		want := 2
		if h.At.Hour() >= 8 && h.At.Hour() < 20 {
			want = 6
		}
		if h.Tasks != want {
			t.Errorf("%s: %d tasks, want %d", h.At, h.Tasks, want)
		}
	}
	if n, ok := Predicted(f, now.Add(10*time.Hour)); !ok || n != 2 {
		t.Errorf("predicted at night: %d, %v", n, ok)
	}
	if _, ok := Foretell(predictive(nil), Past{Load: cpu[:23*60]}, noon.AddDate(0, 0, -14).Add(23*time.Hour)); ok {
		t.Error("23 hours were enough")
	}

	// The same by requests: one costs 2 % of a task's CPU for a minute.
	byRequests := predictive(func(p *model.Predictive) {
		p.Metrics.Pair = model.PredictiveMetric{}
		p.Metrics.Scaling.Type, p.Metrics.Load = "ECSServiceAverageCPUUtilization", model.PredictiveMetric{Type: "TotalALBRequestCount", ResourceLabel: label}
	})
	reads := Past{
		Load:   past(14, func(busy bool) float64 { return map[bool]float64{true: 150, false: 50}[busy] }),
		Metric: past(14, func(busy bool) float64 { return map[bool]float64{true: 75, false: 25}[busy] }),
		Tasks:  past(14, func(bool) float64 { return 4 }),
	}
	f, ok = Foretell(byRequests, reads, now)
	if n, _ := Predicted(f, noon); !ok || n != 6 {
		t.Errorf("by requests: %d tasks at noon, want 6 (carry %v)", n, f.Carry)
	}
	// The same by customized metrics; the mean of an hour is its minutes'.
	customized := predictive(func(p *model.Predictive) {
		p.Metrics.Pair = model.PredictiveMetric{}
		p.Metrics.Scaling.Queries, p.Metrics.Load.Queries, p.Metrics.Capacity.Queries = custom("Average"), custom("Average"), custom("Average")
	})
	f, ok = Foretell(customized, reads, now)
	if n, _ := Predicted(f, noon); !ok || n != 6 || f.Hours[0].Load != 150 {
		t.Errorf("by customized metrics: %d tasks at noon, want 6; load %v, want 150", n, f.Hours[0].Load)
	}
	reads.Tasks = nil
	if _, ok = Foretell(byRequests, reads, now); ok {
		t.Error("without the count of tasks nobody knows what one carries")
	}
}
