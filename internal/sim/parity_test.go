package sim_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"neargate/internal/autoscaler"
	"neargate/internal/decide/scaling"
	"neargate/internal/metric"
	"neargate/internal/metric/alarms"
	"neargate/internal/metric/collect"
	"neargate/internal/model"
	"neargate/internal/sim"
	"neargate/internal/store"
)

// server is the server's collector, metrics, alarms and autoscaler as a
// Scaler: they read the plant's tasks as they would read containers, in the
// time of a synctest bubble.
type server struct {
	t      *testing.T
	scaler *autoscaler.Autoscaler

	mu      sync.Mutex // the collector and the autoscaler have goroutines
	desired int
	now     time.Time
	tasks   []sim.TaskView
	cpu     map[int]time.Duration
	traffic model.TargetGroupTraffic
	given   model.ServiceSecond // by the plant
	odd     int                 // seconds that the collector read differently
	perTask int
}

const (
	parityGroup   = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/943f017f100becff"
	parityService = "service/c/web"
)

// startServer starts the parts with a service's policies and alarms; they run until ctx ends, and
// wait gives the end of them all.
func startServer(ctx context.Context, t *testing.T, svc sim.Service, desired int) (s *server, wait func()) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.DiscardHandler)
	s = &server{t: t, desired: desired, cpu: map[int]time.Duration{}, traffic: model.TargetGroupTraffic{TargetGroupARN: parityGroup}}
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	must(err)
	metrics, err := metric.Open(filepath.Join(t.TempDir(), "metrics.db"), log)
	must(err)
	book, err := alarms.New(db, metrics, alarms.Config{Accepts: func(string) error { return nil }}, log)
	must(err)
	scaler, err := autoscaler.New(db, s, book, metrics, autoscaler.Config{Timing: svc.Timing, Queues: s}, log)
	must(err)
	s.scaler = scaler
	_, err = scaler.RegisterTarget(ctx, autoscaler.Registration{ResourceID: parityService, Min: &svc.Target.Min, Max: &svc.Target.Max})
	must(err)
	for _, p := range svc.Policies {
		p.ResourceID = parityService
		put, err := scaler.PutPolicy(ctx, p)
		must(err)
		for _, al := range svc.Alarms { // they are of the one policy
			al.AlarmActions = []string{put.ARN}
			must(book.PutAlarm(ctx, al))
		}
	}
	collector := collect.New(collect.Sources{Runtime: s, Balancer: s, Scheduler: s}, metrics, collect.Config{OnSecond: func(read []model.ServiceSecond) {
		s.compare(read)
		scaler.Observe(read)
	}}, log)
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{scaler.Run, book.Run, collector.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	return s, func() {
		running.Wait()
		must(metrics.Close())
		must(db.Close())
	}
}

// Awaken is a Waker's: the balancer's question.
func (s *server) Awaken(time.Time, int) (desired int, reason string, coming bool) {
	coming = s.scaler.Awaken(parityGroup)
	synctest.Wait() // until the autoscaler has ordered
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.desired, "the server", coming
}

// Hold is the balancer's.
func (s *server) Hold(_ string, perTask int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.perTask = perTask
}

// PerTask is an Admitter's.
func (s *server) PerTask() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.perTask
}

// begin has tasks run at the time of the first reading.
func (s *server) begin(at time.Time, tasks int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = at
	for i := range tasks {
		s.tasks = append(s.tasks, sim.TaskView{Number: i, Serving: true})
	}
}

// Wants is an Asker's.
func (s *server) Wants() sim.Wants { return sim.Wants{View: true} }

// See is a Witness's.
func (s *server) See(v sim.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks = append(s.tasks[:0], v.Tasks...)
	for _, t := range v.Tasks {
		s.cpu[t.Number] += time.Duration(t.CPU * float64(time.Second))
	}
}

// Second is a Scaler's: the end of the second passes in the bubble, and with it
// the server's turn.
func (s *server) Second(x model.ServiceSecond) (int, string) {
	s.mu.Lock()
	s.now, s.given = x.At, x
	s.traffic.Arrivals += uint64(x.Arrivals)
	s.traffic.Completed += uint64(x.Completed)
	s.traffic.InFlight, s.traffic.Queued, s.traffic.Healthy = x.InFlight, x.Queued, x.Running
	s.mu.Unlock()
	time.Sleep(time.Second)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.desired, "the server"
}

// compare holds what the collector has read of a second against what the plant
// gave.
func (s *server) compare(read []model.ServiceSecond) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.given.At.IsZero() {
		return
	}
	got, want := read[0], s.given
	got.Cluster, got.Service, got.Latency = "", "", model.Buckets{}
	if (got.CPU - want.CPU).Abs() < time.Microsecond { // sums of rounded parts
		got.CPU = want.CPU
	}
	if s.odd++; fmt.Sprint(got) != fmt.Sprint(want) && s.odd < 10 {
		s.t.Errorf("the collector read %+v\nthe plant gave     %+v", got, want)
	} else {
		s.odd--
	}
}

// Samples is the runtime's.
func (s *server) Samples() []model.Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []model.Sample
	for _, t := range s.tasks {
		out = append(out, model.Sample{TaskID: name(t), At: s.now, CPU: s.cpu[t.Number]})
	}
	return out
}

// Traffic is the balancer's.
func (s *server) Traffic() []model.TargetGroupTraffic {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []model.TargetGroupTraffic{s.traffic}
}

// LoadBalancerTraffic is the balancer's.
func (s *server) LoadBalancerTraffic() []model.LoadBalancerTraffic { return nil }

// ServiceTasks is the scheduler's.
func (s *server) ServiceTasks() []model.ServiceTasks {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := model.ServiceTasks{Cluster: "c", Service: "web", CPUUnits: 1024, TargetGroupARNs: []string{parityGroup}}
	for _, t := range s.tasks {
		switch {
		case t.Draining:
			out.Draining = append(out.Draining, name(t))
		case t.Serving:
			out.Running = append(out.Running, name(t))
		default:
			out.Starting = append(out.Starting, name(t))
		}
	}
	return []model.ServiceTasks{out}
}

// Service is the scheduler's.
func (s *server) Service(cluster, service string) (model.Service, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return model.Service{
		Cluster: cluster, Name: service, Status: "ACTIVE", DesiredCount: s.desired,
		LoadBalancers: []model.ServiceLoadBalancer{{TargetGroupARN: parityGroup}},
	}, true
}

// SetDesiredCount is the scheduler's.
func (s *server) SetDesiredCount(_ context.Context, _, _ string, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.desired = n
	return nil
}

func name(t sim.TaskView) string { return fmt.Sprint("task-", t.Number) }

// queued reports that requests waited at the balancer in some second.
func queued(r sim.Result) bool {
	return slices.ContainsFunc(r.Seconds, func(s sim.Second) bool { return s.Queued > 0 })
}

// TestTheServerDecidesTheSame runs a load against the server's own collector,
// metrics, alarms and autoscaler, and against Decider: the runs are the same,
// order for order and request for request.
func TestTheServerDecidesTheSame(t *testing.T) {
	rates := append(append(constant(9, 200), constant(70, 400)...), constant(15, 700)...)
	byCPU := tracking()
	own := model.ScalingPolicy{Name: "own", Tracking: &model.TargetTracking{
		Target: 50, ScaleOut: 60 * time.Second, ScaleIn: 60 * time.Second,
		Customized: &model.CustomizedMetric{Statistic: "Average", Unit: "Percent", Metric: model.MetricID{
			Namespace: "AWS/ECS", Name: "CPUUtilization", Dimensions: []model.Dimension{{Name: "ClusterName", Value: "c"}, {Name: "ServiceName", Value: "web"}},
		}},
	}}
	math := func(first, second, expression string) model.ScalingPolicy {
		no, p, t := false, own, *own.Tracking
		cpu := t.Customized.Metric
		t.Customized = &model.CustomizedMetric{Queries: []model.MetricQuery{
			{ID: "m1", Metric: cpu, Statistic: first, ReturnData: &no},
			{ID: "m2", Metric: cpu, Statistic: second, ReturnData: &no},
			{ID: "e1", Expression: expression},
		}}
		p.Name, p.Tracking = expression, &t
		return p
	}
	busy := busyAlarm()
	busy.Metric, busy.Period = own.Tracking.Customized.Metric, 20*time.Second
	for _, row := range []struct {
		timing scaling.Timing
		put    model.ScalingPolicy
		alarms []model.Alarm
	}{
		{timing: scaling.Live, put: byCPU},
		{timing: scaling.Live, put: own},
		{timing: scaling.Live, put: math("Average", "Maximum", "0.5 * (m1 + FILL(m2, REPEAT))")},
		{timing: scaling.Live, put: math("Sum", "SampleCount", "m1 / m2")},
		{timing: scaling.AWS60, put: math("Sum", "SampleCount", "m1 / m2")},
		{timing: scaling.AWS20, put: byCPU},
		{timing: scaling.AWS60, put: own},
		{timing: scaling.Live, put: stepping(), alarms: []model.Alarm{busy}},
	} {
		svc := sim.Service{
			Target: model.ScalableTarget{Min: 2, Max: 20}, Timing: row.timing, Policies: []model.ScalingPolicy{row.put}, Alarms: row.alarms,
		}
		t.Run(string(row.timing)+" "+row.put.Name, func(t *testing.T) {
			theirs := sameDecisions(t, svc, rates, 2)
			if len(theirs.Orders) < 2 {
				t.Fatalf("the server gave %d orders: %+v", len(theirs.Orders), theirs.Orders)
			}
			if held := queued(theirs); held != (row.timing == scaling.Live) {
				t.Errorf("in timing %s requests waited at the balancer: %v", row.timing, held)
			}
		})
	}
}

// TestTheServerBeginsAndEndsAtZeroTheSame is the same for a service that has no task
// while nobody asks for it.
func TestTheServerBeginsAndEndsAtZeroTheSame(t *testing.T) {
	p := tracking()
	p.Tracking.ScaleIn = 20 * time.Second
	for _, timing := range []scaling.Timing{scaling.Live, scaling.AWS60} {
		t.Run(string(timing), func(t *testing.T) {
			svc := sim.Service{Target: model.ScalableTarget{Max: 4}, Timing: timing, Policies: []model.ScalingPolicy{p}}
			theirs := sameDecisions(t, svc, constant(1.0/40, 1800), 0)
			switch {
			case timing == scaling.Live && (len(theirs.Orders) < 10 || theirs.Failed > 0 || theirs.Requests-theirs.Completed > 1):
				t.Errorf("%d orders; of %d requests %d were answered, %d refused", len(theirs.Orders), theirs.Requests, theirs.Completed, theirs.Failed)
			case timing != scaling.Live && theirs.Failed < theirs.Requests:
				t.Errorf("of %d requests %d were refused", theirs.Requests, theirs.Failed)
			}
		})
	}
}

// sameDecisions runs a load against the server's own parts and against Decider and
// compares the runs; it returns the first.
func sameDecisions(t *testing.T, svc sim.Service, rates []float64, initial int) (theirs sim.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		// The collector's first reading is that of begin; the first second
		// is the difference of the next one.
		begin := time.Now().Truncate(time.Minute).Add(time.Minute)
		time.Sleep(time.Until(begin.Add(-500 * time.Millisecond)))
		srv, wait := startServer(ctx, t, svc, initial)
		srv.begin(begin, initial)
		time.Sleep(time.Until(begin.Add(200 * time.Millisecond)))
		cfg := sim.Config{
			Seed: 3, Begin: begin, Rates: rates, Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, Start: 5 * time.Second,
			Initial: initial, SLO: time.Second, Scaler: srv,
		}
		theirs = run(t, cfg)
		stop()
		wait()
		cfg.Scaler = service(t, svc, initial)
		ours := run(t, cfg)
		for i := range theirs.Orders {
			theirs.Orders[i].Reason = ""
		}
		for i := range ours.Orders {
			ours.Orders[i].Reason = ""
		}
		if !reflect.DeepEqual(theirs.Orders, ours.Orders) {
			t.Errorf("the server's orders %+v\nDecider's      %+v", theirs.Orders, ours.Orders)
		}
		if !reflect.DeepEqual(theirs.Latencies, ours.Latencies) {
			t.Error("latencies differ")
		}
	})
	return theirs
}
