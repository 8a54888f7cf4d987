package sim_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"neargate/internal/model"
	"neargate/internal/sim"
)

// seen keeps what a scaler gets to see.
type seen struct {
	fixed
	wants   sim.Wants
	seconds []model.ServiceSecond
	views   []sim.View
}

func (s *seen) Wants() sim.Wants { return s.wants }

func (s *seen) See(v sim.View) {
	v.Tasks = append([]sim.TaskView(nil), v.Tasks...)
	s.views = append(s.views, v)
}

func (s *seen) Second(x model.ServiceSecond) (int, string) {
	x.Latency.Values = append([]float64(nil), x.Latency.Values...)
	s.seconds = append(s.seconds, x)
	return int(s.fixed), ""
}

// TestRoutingMattersAsInTheTable compares p99 with independently simulated
// values: 100 ms of demand, cv 0.2, tasks of one vCPU.
func TestRoutingMattersAsInTheTable(t *testing.T) {
	for _, row := range []struct {
		routing sim.Routing
		tasks   int
		load    float64
		want    float64 // seconds
	}{
		{sim.Random, 2, 0.5, 0.693},
		{sim.RoundRobin, 2, 0.5, 0.394},
		{sim.PowerOfTwo, 8, 0.7, 0.430},
		{sim.RoundRobin, 18, 0.9, 0.521},
		{sim.PowerOfTwo, 18, 0.9, 0.658},
		{sim.Random, 8, 0.7, 1.274},
	} {
		rate := row.load * float64(row.tasks) / 0.1
		r := run(t, sim.Config{
			Seed: 5, Rates: constant(rate, int(400_000/rate)), Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1,
			Routing: row.routing, Initial: row.tasks, Scaler: fixed(row.tasks),
		})
		if got := r.Latencies.Percentile(99); math.Abs(got-row.want)/row.want > 0.08 {
			t.Errorf("%q, %d tasks at %.1f: p99 %.3f s, want %.3f within 8 %%", row.routing, row.tasks, row.load, got, row.want)
		}
	}
}

// TestQuotaAgainstTheFluidModel compares p99 under a CFS quota and under even
// sharing with independently simulated values.
func TestQuotaAgainstTheFluidModel(t *testing.T) {
	for _, row := range []struct {
		vcpu         float64
		demand       time.Duration
		load         float64
		quota, fluid float64 // seconds
	}{{0.25, 30 * time.Millisecond, 0.5, 0.701, 0.825}, {1, 100 * time.Millisecond, 0.5, 0.630, 0.688}} {
		cfg := sim.Config{
			Seed: 9, Rates: constant(row.load*row.vcpu/row.demand.Seconds(), 60_000), Demand: row.demand, CV: 0.2,
			TaskVCPU: row.vcpu, Initial: 1, Scaler: fixed(1),
		}
		fluid := p99(run(t, cfg))
		cfg.Quota.Cores = 2
		quota := p99(run(t, cfg))
		if math.Abs(fluid-row.fluid)/row.fluid > 0.08 || math.Abs(quota-row.quota)/row.quota > 0.08 {
			t.Errorf("%v vCPU: p99 %.3f s with quota and %.3f s without, want %.3f and %.3f within 8 %%", row.vcpu, quota, fluid, row.quota, row.fluid)
		}
	}
}

func p99(r sim.Result) float64 { return r.Latencies.Percentile(99) }

// TestAShortQuotaPeriodIsTheFluidModel: with periods of 1 ms throttling is
// sharing.
func TestAShortQuotaPeriodIsTheFluidModel(t *testing.T) {
	cfg := sim.Config{
		Seed: 4, Rates: constant(3, 3000), Demand: 40 * time.Millisecond, CV: 0.5, TaskVCPU: 0.25, Initial: 1, Scaler: fixed(1),
		Quota: sim.Quota{Cores: 1, Period: time.Millisecond},
	}
	quota := run(t, cfg)
	cfg.Quota = sim.Quota{}
	fluid := run(t, cfg)
	for _, p := range []float64{50, 99} {
		q, f := quota.Latencies.Percentile(p), fluid.Latencies.Percentile(p)
		if math.Abs(q-f)/f > 0.03 {
			t.Errorf("p%.0f %.3f s with quota, %.3f s shared: want the same within 3 %%", p, q, f)
		}
	}
}

// TestWorkIsConserved: the CPU that tasks used is the demand of what they
// served; every task's CPU stays within its size.
func TestWorkIsConserved(t *testing.T) {
	for _, quota := range []sim.Quota{{}, {Cores: 4}} {
		s := &seen{fixed: 4, wants: sim.Wants{View: true}}
		cfg := sim.Config{
			Seed: 12, Rates: append(constant(20, 2000), constant(0, 60)...), Demand: 50 * time.Millisecond, CV: 1, TaskVCPU: 0.5,
			Quota: quota, Initial: 4, Scaler: s,
		}
		r := run(t, cfg)
		var used, told float64
		for _, x := range r.Seconds {
			used += x.CPU
		}
		for _, x := range s.seconds {
			told += x.CPU.Seconds()
		}
		if want := 0.05 * float64(r.Requests); math.Abs(used-want)/want > 0.02 || r.Completed != r.Requests {
			t.Errorf("%+v: %.1f CPU-seconds for %d requests, %d served, want %.1f within 2 %%", quota, used, r.Requests, r.Completed, want)
		}
		if math.Abs(used-told) > 1e-3 {
			t.Errorf("%+v: used %.6f CPU-seconds, the scaler was told %.6f", quota, used, told)
		}
		for _, v := range s.views {
			for _, task := range v.Tasks {
				if task.CPU > 0.5+0.05 { // a quota's periods do not end with the seconds
					t.Fatalf("%+v: a task of 0.5 vCPU used %v in a second", quota, task.CPU)
				}
			}
		}
	}
}

func TestLatencyOnlyWhenAsked(t *testing.T) {
	cfg := sim.Config{Seed: 3, Rates: constant(20, 30), Demand: 10 * time.Millisecond, TaskVCPU: 1, Initial: 1}
	plain, asked := &seen{fixed: 1}, &seen{fixed: 1, wants: sim.Wants{Latency: true}}
	cfg.Scaler = plain
	run(t, cfg)
	cfg.Scaler = asked
	r := run(t, cfg)
	n := 0
	for i, s := range asked.seconds {
		if len(plain.seconds[i].Latency.Values) > 0 {
			t.Fatal("latencies for a scaler that did not ask")
		}
		if len(s.Latency.Values) != s.Completed || len(s.Latency.Counts) != s.Completed {
			t.Fatalf("second %d: %d latencies of %d answers", i, len(s.Latency.Values), s.Completed)
		}
		n += s.Completed
	}
	if n != r.Completed {
		t.Errorf("%d latencies of %d answers", n, r.Completed)
	}
}

func TestFaults(t *testing.T) {
	base := sim.Config{Seed: 21, Rates: constant(40, 3600), Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, Start: 2 * time.Second, Initial: 8, SLO: time.Second}
	with := func(f sim.Faults) (sim.Result, *seen) {
		s := &seen{fixed: 8, wants: sim.Wants{View: true}}
		cfg := base
		cfg.Faults, cfg.Scaler = f, s
		return run(t, cfg), s
	}
	calm, _ := with(sim.Faults{})

	r, s := with(sim.Faults{Crashes: 5})
	crashes := s.views[len(s.views)-1].Tasks[7].Number - 7
	if crashes < 20 || crashes > 60 {
		t.Errorf("%d crashes of 8 tasks in an hour at 5 an hour each", crashes)
	}
	if r.Failed == 0 || r.Requests != calm.Requests || r.Completed+r.Failed+r.Seconds[3599].InFlight+r.Seconds[3599].Queued != r.Requests {
		t.Errorf("%d requests (%d without crashes), %d completed, %d failed, %+v", r.Requests, calm.Requests, r.Completed, r.Failed, r.Seconds[3599])
	}

	if _, s := with(sim.Faults{LostSeconds: 0.25}); math.Abs(float64(len(s.seconds))-2700) > 120 {
		t.Errorf("saw %d seconds of 3600 with a quarter lost", len(s.seconds))
	}

	_, s = with(sim.Faults{LostSamples: 0.5})
	sampled := 0
	for _, x := range s.seconds {
		sampled += x.Sampled
	}
	if math.Abs(float64(sampled)/(8*3600)-0.5) > 0.02 {
		t.Errorf("%d samples of %d with half lost", sampled, 8*3600)
	}

	r, s = with(sim.Faults{Stalls: []sim.Stall{{At: 100, For: 9}}})
	after := s.seconds[100]
	if len(s.seconds) != 3591 || after.Interval != 10*time.Second || after.At.Unix() != 110 || after.CPUPerTask != 10*time.Second {
		t.Errorf("the second after a stall of 9: %+v", after)
	}
	if !reflect.DeepEqual(r.Latencies, calm.Latencies) {
		t.Error("a stall of the scaler changes what fixed tasks serve")
	}

	if _, s := with(sim.Faults{Jumps: []sim.Jump{{At: 10, By: -time.Hour}}}); s.seconds[9].At.Unix() != 10 || s.seconds[10].At.Unix() != 11-3600 || s.seconds[10].Interval != time.Second {
		t.Errorf("around a jump: %v, %v", s.seconds[9].At, s.seconds[10].At)
	}

	r, _ = with(sim.Faults{Drift: []float64{1, 1, 1.5}})
	if ratio := cpu(r) / cpu(calm); math.Abs(ratio-1.5) > 0.01 {
		t.Errorf("CPU × %.3f with demand × 1.5", ratio)
	}
}

func cpu(r sim.Result) float64 {
	var sum float64
	for _, s := range r.Seconds {
		sum += s.CPU
	}
	return sum
}

func TestStartsDiffer(t *testing.T) {
	s := &seen{fixed: 200, wants: sim.Wants{View: true}}
	run(t, sim.Config{
		Seed: 1, Rates: constant(0, 100), Demand: time.Second, TaskVCPU: 1, Start: 10 * time.Second, StartJitter: 4 * time.Second,
		Initial: 0, Scaler: s, Faults: sim.Faults{SlowStarts: 0.3, SlowFactor: 3},
	})
	slow := 0
	for _, task := range s.views[99].Tasks {
		switch took := task.Ready - task.Ordered; {
		case took >= 10 && took <= 14:
		case took >= 30 && took <= 42:
			slow++
		default:
			t.Fatalf("a start took %v s", took)
		}
	}
	if slow < 40 || slow > 80 {
		t.Errorf("%d of 200 starts were slow, want about 60", slow)
	}
}

// TestInvariants: whatever the plant and its faults, nothing is lost and the
// counts are as ordered.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(5, 60).Draw(t, "seconds")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "shape"), 0))
		counts, rates := make(script, n), make([]float64, n)
		for i := range n {
			counts[i], rates[i] = rng.IntN(7), float64(rng.IntN(40))
		}
		cfg := sim.Config{
			Seed: rapid.Uint64().Draw(t, "seed"), Rates: rates, Demand: 100 * time.Millisecond, CV: 1, TaskVCPU: 0.5,
			Quota: sim.Quota{Cores: rapid.IntRange(0, 3).Draw(t, "cores")}, StartCPU: 0.5,
			Start: time.Duration(rapid.IntRange(0, 3000).Draw(t, "start")) * time.Millisecond, StartJitter: time.Second,
			Routing: rapid.SampledFrom([]sim.Routing{sim.LeastInFlight, sim.RoundRobin, sim.Random, sim.PowerOfTwo}).Draw(t, "routing"),
			PerTask: rapid.IntRange(0, 3).Draw(t, "limit"), Initial: 2, Scaler: counts, SLO: time.Second,
			Faults: sim.Faults{Crashes: float64(rapid.IntRange(0, 200).Draw(t, "crashes")), SlowStarts: 0.2, SlowFactor: 4},
		}
		r, err := sim.Run(cfg)
		if err != nil {
			t.Fatal(err)
		}
		last := r.Seconds[n-1]
		// After the last second was counted its order may still have sent
		// queued requests, and crashed tasks with what they had.
		if got := r.Completed + r.Failed + last.InFlight + last.Queued; got < r.Requests || cfg.Faults.Crashes == 0 && got != r.Requests {
			t.Fatalf("%d requests: %d completed, %d failed, %d in flight, %d queued", r.Requests, r.Completed, r.Failed, last.InFlight, last.Queued)
		}
		var cost float64
		for i, s := range r.Seconds {
			cost += s.TaskSeconds
			if i > 0 && s.Running+s.Starting != counts[i-1] {
				t.Fatalf("second %d: %d running and %d starting, want %d", i, s.Running, s.Starting, counts[i-1])
			}
			if s.Late > s.Completed {
				t.Fatalf("second %d: %d late of %d", i, s.Late, s.Completed)
			}
		}
		if math.Abs(cost-r.TaskSeconds) > 1e-6*cost {
			t.Fatalf("task-seconds %v, by second %v", r.TaskSeconds, cost)
		}
		again, err := sim.Run(cfg)
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Fatal("two runs of one seed differ")
		}
	})
}
