package sim_test

import (
	"strings"
	"testing"
	"time"

	"neargate/internal/decide/forecast"
	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/decide/schedule"
	"neargate/internal/model"
	"neargate/internal/sim"
)

func service(t *testing.T, s sim.Service, desired int) *sim.Decider {
	t.Helper()
	d, err := sim.NewService(s, desired)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// stepping adds two tasks at 70 % and more, and four at 90 %.
func stepping() model.ScalingPolicy {
	zero, twenty := 0.0, 20.0
	return model.ScalingPolicy{Name: "out", Step: &model.StepScaling{
		AdjustmentType: "ChangeInCapacity", Cooldown: 300 * time.Second,
		Steps: []model.StepAdjustment{{Lower: &zero, Upper: &twenty, Adjustment: 2}, {Lower: &twenty, Adjustment: 4}},
	}}
}

func busyAlarm() model.Alarm {
	return model.Alarm{
		Name: "busy", ActionsEnabled: true, AlarmActions: []string{"arn:aws:autoscaling:us-east-1:0:scalingPolicy:x:resource/ecs/service/c/s:policyName/out"},
		Metric:    model.MetricID{Namespace: "AWS/ECS", Name: "CPUUtilization"},
		Statistic: "Average", Period: time.Minute, EvaluationPeriods: 2, Threshold: 70, Comparison: "GreaterThanThreshold", MissingData: "missing",
	}
}

func hung(s sim.Service, al model.Alarm) sim.Service {
	s.Alarms = []model.Alarm{al}
	return s
}

func tracking() model.ScalingPolicy {
	return model.ScalingPolicy{Name: "cpu", Tracking: &model.TargetTracking{
		Predefined: string(scaling.CPU), Target: 50, ScaleOut: 30 * time.Second, ScaleIn: 30 * time.Second,
	}}
}

// TestStepPolicyByHand: 80 % from second 120 on. The minutes that begin at 120
// and 180 are above 70 % at the evaluation of 240; 10 above the threshold is
// the step of +2. The decision after it is that of second 241.
func TestStepPolicyByHand(t *testing.T) {
	for _, timing := range []scaling.Timing{scaling.Live, scaling.AWS60, scaling.AWS20} {
		d := service(t, sim.Service{
			Target: model.ScalableTarget{Min: 2, Max: 20}, Timing: timing, Policies: []model.ScalingPolicy{stepping()}, Alarms: []model.Alarm{busyAlarm()},
		}, 2)
		got := orders(d, 2, [2]int{120, 10}, [2]int{170, 80})
		wantOrders(t, got, sim.Order{At: 241, From: 2, To: 4})
		if !strings.Contains(got[0].Reason, "alarm busy: 80 is 10 above threshold 70") {
			t.Errorf("%s: reason %q", timing, got[0].Reason)
		}
	}
}

func TestServiceRefusesAlarms(t *testing.T) {
	svc := sim.Service{Target: model.ScalableTarget{Min: 2, Max: 20}, Policies: []model.ScalingPolicy{stepping()}}
	for want, spoil := range map[string]func(*model.Alarm){
		`metric "DiskReadOps" of AWS/ECS is not`: func(al *model.Alarm) { al.Metric.Name = "DiskReadOps" },
		`statistic "p99" of CPUUtilization`:      func(al *model.Alarm) { al.Statistic = "p99" },
		`metric "" of  is not simulated`:         func(al *model.Alarm) { al.Queries = make([]model.MetricQuery, 1) },
		"none of its actions":                    func(al *model.Alarm) { al.AlarmActions = []string{"arn:aws:sns:x"} },
		"evaluation periods must be above 0":     func(al *model.Alarm) { al.EvaluationPeriods = 0 },
	} {
		al := busyAlarm()
		spoil(&al)
		if _, err := sim.NewService(hung(svc, al), 2); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

// TestScheduledActionByHand: the bounds become 8 to 12 at 06:00, 30 s after the
// beginning; the count of 2 goes to 8 at once.
func TestScheduledActionByHand(t *testing.T) {
	low, high := 8, 12
	begin := time.Date(2026, 3, 2, 5, 59, 30, 0, time.UTC)
	act := model.ScheduledAction{Name: "morning", Schedule: "cron(0 6 * * ? *)", Min: &low, Max: &high, ChangedAt: begin}
	plan, err := schedule.Of(act, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	s := sim.Service{Target: model.ScalableTarget{Min: 2, Max: 20}, Policies: []model.ScalingPolicy{tracking()}, Scheduled: []schedule.Entry{{Action: act, Plan: plan}}}
	r := run(t, sim.Config{
		Seed: 1, Begin: begin, Rates: constant(2, 300), Demand: 100 * time.Millisecond, TaskVCPU: 1, Initial: 2, Scaler: service(t, s, 2),
	})
	if len(r.Orders) != 1 || r.Orders[0].At != 29 || r.Orders[0].To != 8 || r.Orders[0].Reason != "minimum capacity was set to 8" {
		t.Errorf("orders %+v, want one to 8 after second 29", r.Orders)
	}
}

// TestResponseTimeAlarm: a p99 of the response time above its threshold rings,
// and knows nothing of the time in the balancer's queue.
func TestResponseTimeAlarm(t *testing.T) {
	al := busyAlarm()
	al.Metric = model.MetricID{Namespace: "AWS/ApplicationELB", Name: "TargetResponseTime"}
	al.Statistic, al.Threshold, al.Period = "p99", 0.15, 10*time.Second
	svc := sim.Service{Target: model.ScalableTarget{Min: 2, Max: 20}, Policies: []model.ScalingPolicy{stepping()}}
	for perTask, want := range map[int]bool{0: true, 1: false} {
		r := run(t, sim.Config{
			Seed: 1, Rates: constant(18, 120), Demand: 100 * time.Millisecond, TaskVCPU: 1, PerTask: perTask, Initial: 2,
			Scaler: service(t, hung(svc, al), 2),
		})
		if got := len(r.Orders) > 0; got != want {
			t.Errorf("%d at once at a task: orders %+v, want some: %v", perTask, r.Orders, want)
		}
	}
}

// TestPredictivePolicyByHand: on eight days the load is 4 vCPU from 12:00 to
// 14:00 and 1 else. Eight tasks at 50 % carry 4 vCPU; they are ordered five
// minutes before 12:00 on the last day, and the load of CPU is not yet there.
func TestPredictivePolicyByHand(t *testing.T) {
	begin := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	rate := func(hour int) float64 {
		if hour == 12 || hour == 13 {
			return 4
		}
		return 1
	}
	var past policy.Past
	for m := range 8 * 24 * 60 {
		past.Load = append(past.Load, forecast.Minute{At: begin.Add(time.Duration(m-8*24*60) * time.Minute), Value: 100 * rate(m/60%24)})
	}
	rates := make([]float64, 13*3600)
	for i := range rates {
		rates[i] = rate(i/3600%24) * 10
	}
	foretell := model.ScalingPolicy{Name: "forecast", ResourceID: "service/c/s", Predictive: &model.Predictive{
		Mode: policy.ForecastAndScale, Metrics: model.PredictiveMetrics{Target: 50, Pair: model.PredictiveMetric{Type: "ECSServiceCPUUtilization"}},
	}}
	svc := sim.Service{
		Target: model.ScalableTarget{Min: 2, Max: 20}, Policies: []model.ScalingPolicy{foretell}, Past: map[string]policy.Past{"forecast": past},
	}
	r := run(t, sim.Config{Seed: 1, Begin: begin, Rates: rates, Demand: 100 * time.Millisecond, TaskVCPU: 1, Initial: 2, Scaler: service(t, svc, 2)})
	at := 12*3600 - 300 - 1
	if len(r.Orders) != 1 || r.Orders[0].At != at || r.Orders[0].To != 8 {
		t.Errorf("orders %+v, want one to 8 after second %d", r.Orders, at)
	}
}

// TestCustomizedMetricByHand: at most 5 requests a second at a task, by the
// customized metric RequestCountPerTarget: 40 a second need 8 tasks, to one
// more that the noise of the arrivals may ask for.
func TestCustomizedMetricByHand(t *testing.T) {
	own := tracking()
	own.Tracking.Predefined, own.Tracking.Target = "", 5
	own.Tracking.Customized = &model.CustomizedMetric{Statistic: "Average", Metric: model.MetricID{Namespace: "AWS/ApplicationELB", Name: "RequestCountPerTarget"}}
	svc := sim.Service{Target: model.ScalableTarget{Min: 2, Max: 20}, Policies: []model.ScalingPolicy{own}}
	r := run(t, sim.Config{Seed: 1, Rates: append(constant(8, 120), constant(40, 180)...), Demand: 50 * time.Millisecond, TaskVCPU: 1, Initial: 2, Scaler: service(t, svc, 2)})
	if last := r.Seconds[len(r.Seconds)-1]; len(r.Orders) == 0 || r.Orders[0].At < 119 || last.Running < 8 || last.Running > 10 {
		t.Errorf("orders %+v, want from 2 to about 8 after second 120", r.Orders)
	}
	own.Tracking.Customized.Metric.Name = "MyQueue"
	svc.Policies = []model.ScalingPolicy{own}
	if _, err := sim.NewService(svc, 2); err == nil || !strings.Contains(err.Error(), `policy cpu: metric "MyQueue" of AWS/ApplicationELB is not simulated`) {
		t.Errorf("a metric that is not simulated: %v", err)
	}
}

// mathPolicy keeps the requests of a second at a task at 5, by metric math.
func mathPolicy() model.ScalingPolicy {
	no := false
	p := tracking()
	p.Tracking.Predefined, p.Tracking.Target = "", 5
	p.Tracking.Customized = &model.CustomizedMetric{Queries: []model.MetricQuery{
		{ID: "m1", Metric: model.MetricID{Namespace: "AWS/ApplicationELB", Name: "RequestCount"}, Statistic: "Sum", ReturnData: &no},
		{ID: "m2", Metric: model.MetricID{Namespace: "AWS/ApplicationELB", Name: "HealthyHostCount"}, Statistic: "Average", ReturnData: &no},
		{ID: "e1", Expression: "m1 / m2 / PERIOD(m1)"},
	}}
	return p
}

// TestMetricMathByHand: 10 requests a second are 5 at each of two tasks, the
// target; 40 need 8 tasks. A live policy knows after the minute of the step.
func TestMetricMathByHand(t *testing.T) {
	for timing, most := range map[scaling.Timing]int{scaling.Live: 60 + 62, scaling.AWS60: 4*60 + 2} {
		svc := sim.Service{Target: model.ScalableTarget{Min: 2, Max: 20}, Timing: timing, Policies: []model.ScalingPolicy{mathPolicy()}}
		r := run(t, sim.Config{Seed: 1, Rates: append(constant(8, 120), constant(40, 400)...), Demand: 50 * time.Millisecond, TaskVCPU: 1, Initial: 2, Scaler: service(t, svc, 2)})
		last := r.Seconds[len(r.Seconds)-1]
		if len(r.Orders) == 0 || r.Orders[0].At < 119 || r.Orders[0].At > 119+most || last.Running < 8 || last.Running > 10 {
			t.Errorf("%s: orders %+v, want from 2 to about 8, the first within %d s", timing, r.Orders, most)
		}
	}
}

func TestMetricMathRefusesOthers(t *testing.T) {
	p := mathPolicy()
	p.Tracking.Customized.Queries[1].Metric = model.MetricID{Namespace: "Shop", Name: "Queue"}
	_, err := sim.NewService(sim.Service{Target: model.ScalableTarget{Min: 2, Max: 20}, Policies: []model.ScalingPolicy{p}}, 2)
	if want := `policy cpu: metric "Queue" of Shop is not simulated`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
