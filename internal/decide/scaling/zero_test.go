package scaling

import (
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
)

// restful is a service of one task of one vCPU with a minimum of 0.
type restful struct {
	t       *testing.T
	cfg     Config
	st      State
	now     time.Time
	desired int
	last    Decision
}

func newRestful(t *testing.T, policies ...Policy) *restful {
	t.Helper()
	return &restful{
		t: t, cfg: Config{Min: 0, Max: 5, Timing: Live, Policies: policies},
		now: time.Unix(1e9, 0), desired: 1,
	}
}

// until lets seconds pass as change makes them until the count is another, at most
// so many; it returns how many passed.
func (r *restful) until(most int, change func(*Observation)) int {
	r.t.Helper()
	before := r.desired
	for i := range most {
		r.now = r.now.Add(time.Second)
		obs := Observation{Measured: true, Desired: r.desired, Second: model.ServiceSecond{
			Interval: time.Second, CPUPerTask: time.Second, MemoryPerTask: 1 << 30, Memory: 1 << 28,
			Running: r.desired, Sampled: r.desired, Balanced: true,
		}}
		change(&obs)
		r.last, r.st = Decide(r.cfg, r.st, obs, r.now)
		if r.desired = r.last.Desired; r.desired != before {
			return i + 1
		}
	}
	return most
}

func quiet(*Observation) {}

func asked(obs *Observation) {
	obs.Second.Arrivals, obs.Second.Completed, obs.Second.CPU = 1, 1, 100*time.Millisecond
}

func TestIdleGoesToZeroWhateverIsTracked(t *testing.T) {
	for _, p := range []Policy{
		{Name: "cpu", Metric: CPU, Target: 50},
		{Name: "requests", Metric: RequestsPerTarget, Target: 100},
		{Name: "memory", Metric: Memory, Target: 50},
		{Name: "slo", Metric: ResponseTime, Target: 0.5, Percentile: 99},
	} {
		for _, cooldown := range []time.Duration{0, 30 * time.Second, 300 * time.Second} {
			p.ScaleIn = cooldown
			r := newRestful(t, p)
			r.until(100, asked)
			if r.desired != 1 {
				t.Fatalf("%s: asked each second, the count went to %d: %s", p.Name, r.desired, r.last.Reason)
			}
			want := max(shortestIdle, cooldown)
			got := time.Duration(r.until(1000, quiet)) * time.Second
			if r.desired != 0 || got < want || got > want+2*time.Second {
				t.Errorf("%s with a cooldown of %v went to %d after %v: %s", p.Name, cooldown, r.desired, got, r.last.Reason)
			}
			if r.until(1000, quiet); r.desired != 0 {
				t.Errorf("%s brought a task nobody asked for: %s", p.Name, r.last.Reason)
			}
		}
	}
}

func TestLastTaskStays(t *testing.T) {
	cpu := Policy{Name: "cpu", Metric: CPU, Target: 50, ScaleIn: 30 * time.Second}
	each := func(seconds int) func(*Observation) {
		n := 0
		return func(obs *Observation) {
			if n++; n%seconds == 0 {
				asked(obs)
			}
		}
	}
	for name, tc := range map[string]struct {
		change func(*Observation)
		set    func(*restful)
		says   string
	}{
		"while requests come within the cooldown": {change: each(17), says: "until no request has come for 30 s"},
		"while a request is under way":            {change: func(o *Observation) { o.Second.InFlight = 1 }},
		"where nothing could bring it back":       {change: func(o *Observation) { o.Second.Balanced = false }, says: "without a load balancer"},
		"while it works without requests":         {change: func(o *Observation) { o.Second.CPU = 300 * time.Millisecond }, says: "at work on 0.3 vCPU"},
		"where the minimum is 1":                  {change: quiet, set: func(r *restful) { r.cfg.Min = 1 }},
		"where the policy does not scale in":      {change: quiet, set: func(r *restful) { r.cfg.Policies[0].DisableScaleIn = true }},
		"during a deployment":                     {change: func(o *Observation) { o.Deploying = true }, says: "deployment"},
		"where nothing is decided but by alarms":  {change: quiet, set: func(r *restful) { r.cfg.Timing = AWS60 }},
		"while there is nothing measured":         {change: func(o *Observation) { o.Measured = false }},
		"while scale-in is suspended":             {change: quiet, set: func(r *restful) { r.cfg.SuspendIn = true }, says: "suspended"},
		"where another policy's metric wants one": {change: quiet, set: func(r *restful) {
			r.cfg.Policies = append(r.cfg.Policies, Policy{Name: "own", Metric: Customized, Target: 1})
		}},
		"while the first seconds of data are gone": {change: func(o *Observation) { o.Measured = false }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRestful(t, cpu)
			if tc.set != nil {
				tc.set(r)
			}
			if r.until(400, tc.change); r.desired != 1 {
				t.Errorf("the count went to %d: %s", r.desired, r.last.Reason)
			}
			if got := r.last.Reason.String(); !strings.Contains(got, tc.says) {
				t.Errorf("reason %q does not say %q", got, tc.says)
			}
		})
	}
}

func TestStepPolicyGoesToZeroOnlyWhenIdle(t *testing.T) {
	p := Policy{Name: "step", Type: StepScaling, ScaleIn: time.Minute, Step: &model.StepScaling{
		AdjustmentType: ChangeInCapacity, Steps: []model.StepAdjustment{{Upper: new(float64), Adjustment: -1}},
	}}
	rings := func(change func(*Observation)) func(*Observation) {
		return func(obs *Observation) {
			change(obs)
			obs.Ringing = []Ringing{{Policy: "step", Alarm: "low", State: "ALARM", Threshold: 10, Values: []float64{1}}}
		}
	}
	r := newRestful(t, p)
	if r.until(300, rings(asked)); r.desired != 1 {
		t.Fatalf("asked each second, the count went to %d: %s", r.desired, r.last.Reason)
	}
	if got := r.until(300, rings(quiet)); r.desired != 0 || got < 60 || got > 125 {
		t.Errorf("the count went to %d after %d s without a request: %s", r.desired, got, r.last.Reason)
	}
	if n := r.until(300, quiet); n < 300 {
		t.Errorf("asleep, the count went to %d: %s", r.desired, r.last.Reason)
	}
	r = newRestful(t, p)
	if r.until(5, rings(func(o *Observation) { o.Second.Balanced = false })); r.desired != 0 {
		t.Errorf("without a load balancer the alarm is obeyed at once, but the count is %d", r.desired)
	}
}

func TestWaitingRequestsBringOneTask(t *testing.T) {
	r := newRestful(t, Policy{Name: "cpu", Metric: CPU, Target: 50})
	r.desired = 0
	wait := func(obs *Observation) { obs.Second.Arrivals, obs.Second.Queued = 3, 3 }
	if r.until(5, wait); r.desired != 1 || r.last.Reason.Kind != First {
		t.Errorf("three requests at zero brought %d: %s", r.desired, r.last.Reason)
	}
	if got := r.last.Reason.String(); !strings.HasPrefix(got, "3 requests wait") {
		t.Errorf("reason %q", got)
	}
	for name, cfg := range map[string]Config{
		"AWS's timing": {Max: 5, Timing: AWS20}, "a maximum of 0": {Timing: Live}, "suspended": {Max: 5, Timing: Live, SuspendOut: true},
	} {
		d, _ := Awaken(cfg, State{}, 0, 3, r.now)
		if d.Desired != 0 || cfg.Awakens() {
			t.Errorf("%s: three requests brought %d", name, d.Desired)
		}
	}
	if d, st := Awaken(Config{Max: 5, Timing: Live}, State{}, 2, 3, r.now); d.Desired != 2 || st.Order.Pending {
		t.Errorf("where there are two tasks, the count went to %d", d.Desired)
	}
}

// A task that comes up for clients that have left stays for the whole cooldown from
// then on: those who come again find it.
func TestIdleBeginsWhenTheTaskHasCome(t *testing.T) {
	r := newRestful(t, Policy{Name: "cpu", Metric: CPU, Target: 50, ScaleIn: 20 * time.Second})
	r.until(70, asked)
	r.until(300, quiet)
	_, st := Awaken(r.cfg, r.st, 0, 1, r.now)
	r.st, r.desired = st, 1
	if r.until(90, func(o *Observation) { o.Second.Running, o.Second.Sampled, o.Second.Starting = 0, 0, 1 }); r.desired != 1 {
		t.Fatalf("a task that was starting went after its client had left: %s", r.last.Reason)
	}
	if got := r.until(300, quiet); r.desired != 0 || got < 20 {
		t.Errorf("the count went to %d %d s after the task had come: %s", r.desired, got, r.last.Reason)
	}
}
