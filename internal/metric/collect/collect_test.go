package collect

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"neargate/internal/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	lbARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/blue/50dc6c495c0c9188"
	tgARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/943f017f100becff"
)

var t0 = time.Date(2026, 9, 17, 2, 53, 20, 0, time.UTC)

// reading is a reading n seconds after t0.
func reading(n float64, r readings) readings {
	r.read = t0.Add(time.Duration(n * float64(time.Second)))
	r.at = r.read.Truncate(time.Second)
	return r
}

func sample(id string, n float64, cpu time.Duration, mib int64) model.Sample {
	return model.Sample{TaskID: id, At: t0.Add(time.Duration(n * float64(time.Second))), CPU: cpu, Memory: mib << 20}
}

func tasks(running ...string) []model.ServiceTasks {
	return []model.ServiceTasks{{Cluster: "c", Service: "web", Running: running, CPUUnits: 256, MemoryMiB: 512}}
}

func TestComputeServices(t *testing.T) {
	const ms = time.Millisecond
	base := model.ServiceSecond{At: t0.Add(time.Second), Cluster: "c", Service: "web", CPUPerTask: 250 * ms, MemoryPerTask: 512 << 20, Interval: time.Second}
	for _, tc := range []struct {
		name      string
		prev, cur readings
		want      func(*model.ServiceSecond)
		cpu, mem  []float64
	}{
		{
			"two tasks, one at half, one at its limit and a little over",
			reading(0, readings{samples: []model.Sample{sample("a", 0, time.Second, 1), sample("b", 0, 0, 1)}}),
			reading(1, readings{services: tasks("a", "b"), samples: []model.Sample{sample("a", 1, 1125*ms, 64), sample("b", 1, 255*ms, 128)}}),
			func(s *model.ServiceSecond) {
				s.Running, s.Sampled, s.CPU, s.Memory = 2, 2, 380*ms, 192<<20
			},
			[]float64{50, 100},
			[]float64{12.5, 25},
		},
		{
			"a late tick is a long second",
			reading(0, readings{samples: []model.Sample{sample("a", 0, 0, 1)}}),
			reading(3, readings{services: tasks("a"), samples: []model.Sample{sample("a", 3, 375*ms, 256)}}),
			func(s *model.ServiceSecond) {
				s.At, s.Interval, s.CPUPerTask = t0.Add(3*time.Second), 3*time.Second, 750*ms
				s.Running, s.Sampled, s.CPU, s.Memory = 1, 1, 375*ms, 256<<20
			},
			[]float64{50},
			[]float64{50},
		},
		{
			"a task's first sample only serves the next",
			reading(0, readings{}),
			reading(1, readings{services: tasks("new"), samples: []model.Sample{sample("new", 1, 200*ms, 64)}}),
			func(s *model.ServiceSecond) { s.Running = 1 },
			nil, nil,
		},
		{
			"a sample that did not move is none",
			reading(0, readings{samples: []model.Sample{sample("a", 0, 100*ms, 64)}}),
			reading(1, readings{services: tasks("a"), samples: []model.Sample{sample("a", 0, 100*ms, 64)}}),
			func(s *model.ServiceSecond) { s.Running = 1 },
			nil, nil,
		},
		{
			"a task that vanished is not sampled",
			reading(0, readings{samples: []model.Sample{sample("a", 0, 0, 64)}}),
			reading(1, readings{services: tasks("a")}),
			func(s *model.ServiceSecond) { s.Running = 1 },
			nil, nil,
		},
		{
			"a counter that restarted counts in full",
			reading(0, readings{samples: []model.Sample{sample("a", 0, time.Hour, 64)}}),
			reading(1, readings{services: tasks("a"), samples: []model.Sample{sample("a", 1, 125*ms, 64)}}),
			func(s *model.ServiceSecond) {
				s.Running, s.Sampled, s.CPU, s.Memory = 1, 1, 125*ms, 64<<20
			},
			[]float64{50},
			[]float64{12.5},
		},
		{
			"starting and draining tasks consume but have no part in the utilisation",
			reading(0, readings{samples: []model.Sample{sample("r", 0, 0, 1), sample("d", 0, 0, 1), sample("s", 0, 0, 1)}}),
			reading(1, readings{
				services: []model.ServiceTasks{{Cluster: "c", Service: "web", Running: []string{"r"}, Draining: []string{"d"}, Starting: []string{"s", "s2"}, CPUUnits: 256, MemoryMiB: 512}},
				samples:  []model.Sample{sample("r", 1, 50*ms, 128), sample("d", 1, 25*ms, 64), sample("s", 1, 250*ms, 64)},
			}),
			func(s *model.ServiceSecond) {
				s.Running, s.Draining, s.Starting, s.Sampled, s.CPU, s.Memory = 1, 1, 2, 3, 325*ms, 256<<20
			},
			[]float64{20},
			[]float64{25},
		},
		{
			"no tasks, no utilisation",
			reading(0, readings{}), reading(1, readings{services: tasks()}),
			func(*model.ServiceSecond) {},
			nil, nil,
		},
		{
			"traffic of its target group",
			reading(0, readings{groups: []model.TargetGroupTraffic{{TargetGroupARN: tgARN, Arrivals: 100, Completed: 90, Status: [6]uint64{2: 90}}}}),
			reading(1, readings{
				services: []model.ServiceTasks{{Cluster: "c", Service: "web", CPUUnits: 256, MemoryMiB: 512, TargetGroupARNs: []string{tgARN}}},
				groups:   []model.TargetGroupTraffic{{TargetGroupARN: tgARN, Arrivals: 130, Completed: 115, Status: [6]uint64{2: 112, 5: 3}, ConnErrors: 1, InFlight: 4, Queued: 10}},
			}),
			func(s *model.ServiceSecond) {
				s.Balanced, s.Arrivals, s.Completed, s.Fails, s.InFlight, s.Queued = true, 30, 25, 4, 4, 10
			},
			nil, nil,
		},
		{
			"how long its callers waited, at the balancer too",
			reading(0, readings{groups: []model.TargetGroupTraffic{
				{TargetGroupARN: tgARN, Completed: 1, Latency: model.Buckets{Values: []float64{0.1, 0.2}, Counts: []uint64{1, 0}, Sum: 0.1}},
				{TargetGroupARN: tgARN + "2", Completed: 1, ResponseTime: model.Buckets{Values: []float64{0.1}, Counts: []uint64{1}}, Latency: model.Buckets{Values: []float64{0.4, 0.8}, Counts: []uint64{1, 0}, Sum: 0.4}},
			}}),
			reading(1, readings{
				services: []model.ServiceTasks{{Cluster: "c", Service: "web", CPUUnits: 256, MemoryMiB: 512, TargetGroupARNs: []string{tgARN, tgARN + "2"}}},
				groups: []model.TargetGroupTraffic{
					{TargetGroupARN: tgARN, Completed: 4, Latency: model.Buckets{Values: []float64{0.1, 0.2}, Counts: []uint64{1, 3}, Sum: 0.7}},
					{TargetGroupARN: tgARN + "2", Completed: 2, ResponseTime: model.Buckets{Values: []float64{0.1}, Counts: []uint64{2}}, Latency: model.Buckets{Values: []float64{0.4, 0.8}, Counts: []uint64{1, 1}, Sum: 1.2}},
				},
			}),
			func(s *model.ServiceSecond) {
				s.Balanced, s.Completed = true, 4
				s.Latency = model.Buckets{Values: []float64{0.2, 0.8}, Counts: []uint64{3, 1}, Sum: 0.7 - 0.1 + 1.2 - 0.4}
			},
			nil, nil,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := base
			tc.want(&want)
			seconds, data := compute(tc.prev, tc.cur)
			if diff := cmp.Diff([]model.ServiceSecond{want}, seconds); diff != "" {
				t.Errorf("seconds (-want +got):\n%s", diff)
			}
			got := map[string][]float64{}
			for _, d := range data {
				if d.ID.Namespace == "AWS/ECS" {
					got[d.ID.Name] = d.Values
					if !d.At.Equal(want.At.Add(-time.Second)) || d.Resolution != 1 || !d.Gauge {
						t.Errorf("datum %+v, want a gauge at the second's start", d)
					}
				}
			}
			wantData := map[string][]float64{}
			if tc.cpu != nil {
				wantData["CPUUtilization"], wantData["MemoryUtilization"] = tc.cpu, tc.mem
			}
			if diff := cmp.Diff(wantData, got, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
				t.Errorf("AWS/ECS (-want +got):\n%s", diff)
			}
		})
	}
}

func TestComputeTellsNothingFromOneReading(t *testing.T) {
	seconds, data := compute(readings{}, reading(1, readings{services: tasks("a")}))
	if seconds != nil || data != nil {
		t.Errorf("first reading gave %v and %v", seconds, data)
	}
}

func TestComputeBalancer(t *testing.T) {
	before := model.TargetGroupTraffic{
		TargetGroupARN: tgARN, LoadBalancerARN: lbARN, Arrivals: 10, Requests: 10, Completed: 10, Status: [6]uint64{2: 10}, Healthy: 2,
		ResponseTime: model.Buckets{Values: []float64{0.1, 0.2, 0.4}, Counts: []uint64{10, 0, 0}, Sum: 1},
	}
	busy := before
	busy.Arrivals, busy.Requests, busy.Completed, busy.Status, busy.ConnErrors, busy.Unhealthy = 16, 15, 15, [6]uint64{2: 13, 4: 1, 5: 1}, 1, 1
	busy.ResponseTime = model.Buckets{Values: []float64{0.1, 0.2, 0.4}, Counts: []uint64{10, 4, 1}, Sum: 2.25}
	unused := model.TargetGroupTraffic{TargetGroupARN: tgARN, Arrivals: 3}
	ill := before
	ill.Healthy, ill.Unhealthy, ill.FailOpen, ill.Anomalous, ill.Mitigated, ill.Failing, ill.Hidden = 1, 2, 7, 2, 1, true, true
	const lb, both, tg = "[app/blue/50dc6c495c0c9188]", "[app/blue/50dc6c495c0c9188 targetgroup/web/943f017f100becff]", "[targetgroup/web/943f017f100becff]"
	for _, tc := range []struct {
		name      string
		prev, cur readings
		want      map[string]float64 // sums
	}{
		{
			"an idle group says that it is there",
			readings{groups: []model.TargetGroupTraffic{before}},
			readings{groups: []model.TargetGroupTraffic{before}},
			map[string]float64{
				"RequestCount" + lb: 0, "RequestCount" + both: 0, "RequestCountPerTarget" + both: 0, "RequestCountPerTarget" + tg: 0,
				"HealthyHostCount" + both: 2, "UnHealthyHostCount" + both: 0,
			},
		},
		{
			"a busy group",
			readings{groups: []model.TargetGroupTraffic{before}},
			readings{groups: []model.TargetGroupTraffic{busy}},
			map[string]float64{
				"RequestCount" + lb: 5, "RequestCount" + both: 5, "RequestCountPerTarget" + both: 3, "RequestCountPerTarget" + tg: 3,
				"HTTPCode_Target_2XX_Count" + lb: 3, "HTTPCode_Target_2XX_Count" + both: 3,
				"HTTPCode_Target_4XX_Count" + lb: 1, "HTTPCode_Target_4XX_Count" + both: 1,
				"HTTPCode_Target_5XX_Count" + lb: 1, "HTTPCode_Target_5XX_Count" + both: 1,
				"TargetConnectionErrorCount" + lb: 1, "TargetConnectionErrorCount" + both: 1,
				"TargetResponseTime" + lb: 1.25, "TargetResponseTime" + both: 1.25,
				"HealthyHostCount" + both: 2, "UnHealthyHostCount" + both: 1,
			},
		},
		{
			"what an ALB would have failed",
			readings{groups: []model.TargetGroupTraffic{{TargetGroupARN: tgARN, LoadBalancerARN: lbARN, Spared: []model.Spared{{Reason: "NoTargets", Count: 3}}}}},
			readings{groups: []model.TargetGroupTraffic{{
				TargetGroupARN: tgARN, LoadBalancerARN: lbARN, Spared: []model.Spared{{Reason: "Other", Count: 2}, {Reason: "NoTargets", Count: 4}},
			}}},
			map[string]float64{
				"RequestCount" + lb: 0, "RequestCount" + both: 0, "RequestCountPerTarget" + both: 0, "RequestCountPerTarget" + tg: 0,
				"WouldHaveFailed" + lb: 3, "WouldHaveFailed" + both: 3,
				"WouldHaveFailed[app/blue/50dc6c495c0c9188 NoTargets targetgroup/web/943f017f100becff]": 1,
				"WouldHaveFailed[app/blue/50dc6c495c0c9188 Other targetgroup/web/943f017f100becff]":     2,
			},
		},
		{
			"a group that no listener uses has no metrics",
			readings{},
			readings{groups: []model.TargetGroupTraffic{unused}},
			map[string]float64{},
		},
		{
			"the balancer's own answers",
			readings{balancers: []model.LoadBalancerTraffic{{LoadBalancerARN: lbARN, ELBStatus: [6]uint64{5: 1}, ELB503: 1, NewConns: 5}}},
			readings{balancers: []model.LoadBalancerTraffic{{
				LoadBalancerARN: lbARN, ELBStatus: [6]uint64{3: 1, 4: 2, 5: 4}, ELB503: 3, ELB502: 1, NewConns: 7, ActiveConns: 9,
				ProcessedBytes: 512, RejectedConns: 1, TLSErrors: 6, FixedResponses: 2, Redirects: 1,
			}}},
			map[string]float64{
				"HTTPCode_ELB_3XX_Count" + lb: 1, "HTTPCode_ELB_4XX_Count" + lb: 2, "HTTPCode_ELB_5XX_Count" + lb: 3,
				"HTTPCode_ELB_502_Count" + lb: 1, "HTTPCode_ELB_503_Count" + lb: 2, "NewConnectionCount" + lb: 2, "ActiveConnectionCount" + lb: 9,
				"ProcessedBytes" + lb: 512, "RejectedConnectionCount" + lb: 1, "ClientTLSNegotiationErrorCount" + lb: 6, "HTTP_Fixed_Response_Count" + lb: 2, "HTTP_Redirect_Count" + lb: 1,
				"ConsumedLCUs" + lb: 2.0 / 25,
			},
		},
		{
			"what was looked at and put right",
			readings{balancers: []model.LoadBalancerTraffic{{LoadBalancerARN: lbARN, Requests: 10, Evaluations: 500}}},
			readings{balancers: []model.LoadBalancerTraffic{{
				LoadBalancerARN: lbARN, Requests: 110, Evaluations: 5500, NonCompliant: 2, DroppedInvalid: 3, NonSticky: 4,
			}}},
			map[string]float64{
				"RuleEvaluations" + lb: 5000, "DesyncMitigationMode_NonCompliant_Request_Count" + lb: 2,
				"DroppedInvalidHeaderRequestCount" + lb: 3, "NonStickyRequestCount" + lb: 4,
				"ConsumedLCUs" + lb: 4, // of 5,000 evaluations 1,000 are free
			},
		},
		{
			"too few healthy targets",
			readings{groups: []model.TargetGroupTraffic{before}},
			readings{groups: []model.TargetGroupTraffic{ill}},
			map[string]float64{
				"RequestCount" + lb: 0, "RequestCount" + both: 0, "RequestCountPerTarget" + both: 0, "RequestCountPerTarget" + tg: 0,
				"HealthyHostCount" + both: 1, "UnHealthyHostCount" + both: 2,
				"UnhealthyRoutingRequestCount" + both: 7, "AnomalousHostCount" + both: 2, "MitigatedHostCount" + both: 1,
				"UnhealthyStateRouting" + both: 1, "UnhealthyStateDNS" + both: 1,
			},
		},
		{
			"counters that restarted count in full",
			readings{groups: []model.TargetGroupTraffic{busy}},
			readings{groups: []model.TargetGroupTraffic{before}},
			map[string]float64{
				"RequestCount" + lb: 10, "RequestCount" + both: 10, "RequestCountPerTarget" + both: 5, "RequestCountPerTarget" + tg: 5,
				"HTTPCode_Target_2XX_Count" + lb: 10, "HTTPCode_Target_2XX_Count" + both: 10,
				"TargetResponseTime" + lb: 1, "TargetResponseTime" + both: 1,
				"HealthyHostCount" + both: 2, "UnHealthyHostCount" + both: 0,
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, data := compute(reading(0, tc.prev), reading(1, tc.cur))
			got := map[string]float64{}
			for _, d := range data {
				got[d.ID.Name+dimValues(d.ID)] += sum(d)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
				t.Errorf("sums (-want +got):\n%s", diff)
			}
		})
	}
}

func dimValues(id model.MetricID) string {
	s := "["
	for i, d := range id.Dimensions {
		if i > 0 {
			s += " "
		}
		s += d.Value
	}
	return s + "]"
}

func sum(d model.Datum) float64 {
	if d.Stats != nil {
		return d.Stats.Sum
	}
	total := 0.0
	for i, v := range d.Values {
		n := 1.0
		if d.Counts != nil {
			n = d.Counts[i]
		}
		total += n * v
	}
	return total
}

type fakeSources struct{ services []model.ServiceTasks }

func (fakeSources) Samples() []model.Sample                          { return nil }
func (fakeSources) Traffic() []model.TargetGroupTraffic              { return nil }
func (fakeSources) LoadBalancerTraffic() []model.LoadBalancerTraffic { return nil }
func (f fakeSources) ServiceTasks() []model.ServiceTasks             { return f.services }
func (fakeSources) Put(time.Time, []model.Datum) error               { return nil }

func TestRunTicksOnFullSeconds(t *testing.T) {
	f := fakeSources{tasks("a")}
	seconds := make(chan model.ServiceSecond)
	c := New(Sources{Runtime: f, Balancer: f, Scheduler: f}, f, Config{OnSecond: func(s []model.ServiceSecond) { seconds <- s[0] }}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- c.Run(ctx) }()
	first := <-seconds
	if first.At.Nanosecond() != 0 || first.Running != 1 {
		t.Errorf("first second %+v, want one on the second with one task", first)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestUsageFollowsTasksThatComeGoAndChangePlaces(t *testing.T) {
	at := func(second int, ids ...string) readings {
		r := readings{at: t0.Add(time.Duration(second) * time.Second), read: t0.Add(time.Duration(second) * time.Second)}
		for _, id := range ids {
			ms := int(id[0]) * second // a task uses the same each second
			r.samples = append(r.samples, model.Sample{TaskID: id, At: r.read, CPU: time.Duration(ms) * time.Millisecond})
		}
		return r
	}
	last := indexed(at(1, "a", "b", "c"), readings{})
	for second, ids := range [][]string{{"a", "b", "c"}, {"c", "b", "a"}, {"b", "a", "d"}, {"d"}, {}, {"a", "d"}, {"d", "a"}} {
		cur := indexed(at(second+2, ids...), last)
		s := between(last, cur)
		for _, id := range []string{"a", "b", "c", "d"} {
			want := 0
			if _, before := last.index[id]; before && slices.Contains(ids, id) {
				want = 1
			}
			got := s.usages([]string{id})
			if len(got) != want || want == 1 && got[0].cpu != time.Duration(id[0])*time.Millisecond {
				t.Errorf("second %d, task %s: usage %v, want %d of %d ms", second+2, id, got, want, id[0])
			}
		}
		last = cur
	}
}

func between(prev, cur readings) *second {
	return &second{usage: usages(prev, cur), index: cur.index}
}
