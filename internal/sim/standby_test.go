package sim_test

import (
	"strings"
	"testing"
	"time"

	"neargate/internal/decide/routing"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
	"neargate/internal/sim"
)

// sparse is a service without a minimum, asked once a minute on average for an hour,
// whose tasks take 100 ms to start.
func sparse(t *testing.T, svc sim.Service) sim.Config {
	t.Helper()
	svc.Target.Max = 4
	p := tracking()
	p.Tracking.ScaleIn = 20 * time.Second
	svc.Policies = []model.ScalingPolicy{p}
	return sim.Config{
		Seed: 7, Rates: constant(1.0/60, 3600), Demand: 20 * time.Millisecond, TaskVCPU: 1, Start: 100 * time.Millisecond,
		SLO: 200 * time.Millisecond, Scaler: service(t, svc, 0),
	}
}

func TestOneRequestAMinuteIsAnsweredFromZero(t *testing.T) {
	for seed := range uint64(5) {
		cfg := sparse(t, sim.Service{})
		cfg.Seed = seed
		r := run(t, cfg)
		if r.Requests < 40 || r.Completed < r.Requests-1 || r.Failed != 0 || r.Late != 0 { // one may be under way at the end
			t.Errorf("of %d requests %d were answered, %d refused, %d late", r.Requests, r.Completed, r.Failed, r.Late)
		}
		if p99 := r.Latencies.Percentile(99); p99 > 0.2 {
			t.Errorf("p99 %.3f s", p99)
		}
		firsts, lasts := 0, 0
		for _, o := range r.Orders {
			switch {
			case o.From == 0 && strings.Contains(o.Reason, "wait at the balancer and there is no task"):
				firsts++
			case o.To == 0 && strings.HasPrefix(o.Reason, "no request for 20 s"):
				lasts++
			default:
				t.Errorf("an order from %d to %d: %s", o.From, o.To, o.Reason)
			}
		}
		if firsts < 15 || lasts < firsts-1 {
			t.Errorf("%d first tasks, %d times to zero", firsts, lasts)
		}
		if r.TaskSeconds > 0.7*3600 {
			t.Errorf("it cost %.0f task-seconds in an hour", r.TaskSeconds)
		}
	}
}

func TestWhoFindsNoTaskIsRefused(t *testing.T) {
	for name, svc := range map[string]sim.Service{
		"in AWS's timing":             {Timing: scaling.AWS60},
		"where scale-out is off":      {Target: model.ScalableTarget{SuspendOut: true}},
		"in AWS's timing of 20 s too": {Timing: scaling.AWS20},
	} {
		if r := run(t, sparse(t, svc)); r.Requests == 0 || r.Failed != r.Requests || r.Late != r.Requests {
			t.Errorf("%s: of %d requests %d were refused, %d late", name, r.Requests, r.Failed, r.Late)
		}
	}
}

func TestWaitForATaskIsBounded(t *testing.T) {
	t.Run("in time", func(t *testing.T) {
		cfg := sparse(t, sim.Service{})
		cfg.Start = 2 * time.Hour
		r := run(t, cfg)
		if waiting := r.Seconds[3599].Queued; r.Failed+waiting != r.Requests || waiting > 5 {
			t.Errorf("of %d requests %d were refused, %d wait", r.Requests, r.Failed, waiting)
		}
	})
	t.Run("in number", func(t *testing.T) {
		cfg := sparse(t, sim.Service{})
		cfg.Start, cfg.Rates = 5*time.Second, []float64{10 * routing.MostStandby, 0, 0}
		r := run(t, cfg)
		if n := r.Seconds[2].Queued; n != routing.MostStandby || r.Failed != r.Requests-n {
			t.Errorf("of %d requests %d wait, %d were refused", r.Requests, n, r.Failed)
		}
	})
}
