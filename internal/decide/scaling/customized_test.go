package scaling

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// shared is a service whose customized metric is a load that its tasks share:
// a backlog, sessions, anything that falls when tasks are added.
type shared struct {
	cfg     Config
	st      State
	now     time.Time
	period  time.Duration // of the datapoints
	lag     time.Duration // from the end of a period to its datapoint
	startup time.Duration
	desired int
	ready   []time.Time // of each task
	sum     float64     // of the load on a task in the running period
	samples float64
	values  []MetricValue
	moves   int
	last    Decision
	silent  bool // nothing is published
}

func newShared(tasks int, period time.Duration, p Policy) *shared {
	p.Name, p.Metric = "own", Customized
	s := &shared{
		cfg: Config{Min: 1, Max: 50, Timing: Live, Policies: []Policy{p}}, period: period, startup: 3 * time.Second,
		desired: tasks, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	s.ready = make([]time.Time, tasks)
	return s
}

func (s *shared) running() int {
	n := 0
	for _, at := range s.ready {
		if !at.After(s.now) {
			n++
		}
	}
	return n
}

// seconds lets n seconds pass under a load.
func (s *shared) seconds(n int, load float64) {
	for range n {
		tasks := s.running()
		s.sum, s.samples = s.sum+load/float64(max(tasks, 1)), s.samples+1
		s.now = s.now.Add(time.Second)
		if s.now.Sub(s.now.Truncate(s.period)) == 0 {
			if !s.silent {
				s.values = append(s.values, MetricValue{Policy: "own", Start: s.now.Add(-s.period), Period: s.period, Value: s.sum / s.samples})
			}
			s.sum, s.samples = 0, 0
		}
		obs := Observation{Second: busy(tasks, 0), Measured: true, Desired: s.desired}
		obs.Second.Starting = s.desired - tasks
		for _, v := range s.values[max(0, len(s.values)-60):] {
			if !v.Start.Add(v.Period + s.lag).After(s.now) {
				obs.Values = append(obs.Values, v)
			}
		}
		s.last, s.st = Decide(s.cfg, s.st, obs, s.now)
		if d := s.last.Desired; d != s.desired {
			s.moves++
			s.order(d)
		}
	}
}

func (s *shared) order(n int) {
	for len(s.ready) < n {
		s.ready = append(s.ready, s.now.Add(s.startup))
	}
	s.ready, s.desired = s.ready[:n], n
}

func TestCustomizedMetricByTheMinute(t *testing.T) {
	s := newShared(4, time.Minute, Policy{Target: 10, ScaleIn: 30 * time.Second})
	s.seconds(180, 38)
	if s.desired != 4 {
		t.Fatalf("steady load moved the count to %d: %s", s.desired, s.last.Reason)
	}
	s.seconds(60, 120) // one datapoint of 30
	if s.desired != 12 {
		t.Errorf("after one minute of 3 times the load: %d tasks, want 12: %s", s.desired, s.last.Reason)
	}
	s.seconds(240, 120)
	if s.desired != 12 || s.moves != 1 {
		t.Errorf("four minutes later: %d tasks in %d moves, want 12 in one: %s", s.desired, s.moves, s.last.Reason)
	}
	s.seconds(180, 60)
	if s.desired != 6 {
		t.Errorf("after three minutes of half the load: %d tasks, want 6: %s", s.desired, s.last.Reason)
	}
	s.seconds(240, 55) // 9.2 of 10 on six tasks: not low enough for less
	if s.desired != 6 || s.last.Reason.Kind != Near {
		t.Errorf("at 9.2 of 10: %d tasks, want 6: %s", s.desired, s.last.Reason)
	}
}

func TestCustomizedMetricBySecond(t *testing.T) {
	s := newShared(4, time.Second, Policy{Target: 10, ScaleIn: 30 * time.Second})
	s.lag = time.Second
	s.seconds(90, 38)
	s.seconds(5, 300) // a few seconds may be anything
	s.seconds(10, 38)
	if s.desired != 4 {
		t.Fatalf("five seconds moved the count to %d: %s", s.desired, s.last.Reason)
	}
	s.seconds(11, 300)
	if s.desired != 30 {
		t.Errorf("after 11 seconds of the step: %d tasks, want 30: %s", s.desired, s.last.Reason)
	}
	s.seconds(120, 300)
	if s.desired != 30 || s.moves != 1 {
		t.Errorf("two minutes later: %d tasks in %d moves, want 30 in one: %s", s.desired, s.moves, s.last.Reason)
	}
	s.seconds(60, 20)
	if s.desired != 2 {
		t.Errorf("a minute after the load: %d tasks, want 2: %s", s.desired, s.last.Reason)
	}
}

// What a datapoint says is said with the tasks that it was measured on, however
// late it comes and however long the tasks take to start.
func TestCustomizedMetricIsPairedWithItsTasks(t *testing.T) {
	s := newShared(4, time.Minute, Policy{Target: 10})
	s.startup, s.lag = 90*time.Second, 40*time.Second
	s.seconds(180, 38)
	s.seconds(600, 120)
	if s.desired != 12 || s.moves != 1 {
		t.Errorf("%d tasks in %d moves, want 12 in one: %s", s.desired, s.moves, s.last.Reason)
	}
}

func TestCustomizedMetricHoldsWithoutData(t *testing.T) {
	s := newShared(8, time.Minute, Policy{Target: 10, ScaleIn: 75 * time.Second})
	s.seconds(180, 79)
	s.seconds(60, 40) // low enough for less, were it to last
	s.silent = true
	s.seconds(85, 40)
	if s.desired != 8 || s.last.Reason.Kind != Late {
		t.Errorf("a datapoint is late: %d tasks, want 8: %s", s.desired, s.last.Reason)
	}
	s.seconds(600, 1)
	if s.desired != 8 || s.last.Reason.Kind != NoData {
		t.Errorf("without datapoints: %d tasks, want 8: %s", s.desired, s.last.Reason)
	}
	s.silent = false
	s.seconds(61, 1)
	if s.desired != 8 {
		t.Errorf("one datapoint after the silence: %d tasks, want 8: %s", s.desired, s.last.Reason)
	}
	s.seconds(180, 1)
	if s.desired != 1 {
		t.Errorf("four minutes after the silence: %d tasks, want 1: %s", s.desired, s.last.Reason)
	}
}

func TestCustomizedMetricDoesNotActTwiceOnADatapoint(t *testing.T) {
	s := newShared(4, time.Minute, Policy{Target: 10})
	s.seconds(120, 38)
	s.seconds(60, 120)
	if s.desired != 12 {
		t.Fatalf("%d tasks, want 12", s.desired)
	}
	s.order(4) // somebody sets the count back
	s.seconds(50, 38)
	if s.desired != 4 || s.last.Reason.Kind != Acted {
		t.Errorf("%d tasks, want 4 until there is another datapoint: %s", s.desired, s.last.Reason)
	}
}

func TestCustomizedMetricBeginsFromNoTasks(t *testing.T) {
	s := newShared(0, time.Minute, Policy{Target: 10})
	s.cfg.Min = 0
	s.seconds(260, 30)
	if s.desired != 3 {
		t.Errorf("%d tasks, want 3 by way of one: %s", s.desired, s.last.Reason)
	}
}

func TestCustomizedMetricInAWSTiming(t *testing.T) {
	cfg := Config{Min: 1, Max: 50, Timing: AWS60, Policies: []Policy{{Name: "own", Metric: Customized, Target: 10}}}
	now := time.Unix(1_800_000_000, 0)
	obs := Observation{
		Second: busy(4, 0), Measured: true, Desired: 4, Alarms: []Alarms{{Policy: "own", High: true}},
		Values: []MetricValue{
			{Policy: "own", Start: now.Add(-time.Minute), Period: time.Minute, Value: 26},
			{Policy: "own", Start: now.Add(-2 * time.Minute), Period: time.Minute, Value: 90},
			{Policy: "other", Start: now, Period: time.Minute, Value: 1000},
		},
	}
	if d, _ := Decide(cfg, State{}, obs, now); d.Desired != 11 || d.Reason.String() != "metric at 26 of 4 tasks with target 10 needs 11" {
		t.Errorf("%d tasks because %q, want 11 for 4 × 26 ÷ 10", d.Desired, d.Reason)
	}
	obs.Values = nil
	if d, _ := Decide(cfg, State{}, obs, now); d.Desired != 4 {
		t.Errorf("without datapoints %d tasks, want 4", d.Desired)
	}
}

// Whatever is published: bounds hold, every order up is what the newest
// datapoints need, and a steady load that the tasks can share moves nothing for
// long.
func TestCustomizedMetricProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		period := rapid.SampledFrom([]time.Duration{time.Second, time.Minute}).Draw(t, "period")
		s := newShared(rapid.IntRange(1, 20).Draw(t, "tasks"), period, Policy{
			Target:  rapid.Float64Range(0.1, 100).Draw(t, "target"),
			ScaleIn: time.Duration(rapid.IntRange(0, 120).Draw(t, "cooldown")) * time.Second,
		})
		s.lag = time.Duration(rapid.IntRange(0, 45).Draw(t, "lag")) * time.Second
		s.startup = time.Duration(rapid.IntRange(0, 60).Draw(t, "startup")) * time.Second
		s.cfg.Min = rapid.IntRange(1, 5).Draw(t, "min")
		target, most := s.cfg.Policies[0].Target, 0.0
		for range rapid.IntRange(1, 3).Draw(t, "steps") {
			load := rapid.Float64Range(0, 60).Draw(t, "load") * target
			most = max(most, load)
			before := s.desired
			s.seconds(240, load)
			limit := max(before, s.cfg.Min, int(math.Ceil(most/target-1e-9)))
			if s.desired > max(limit, 0) && s.desired > before || s.desired > max(s.cfg.Max, before) {
				t.Fatalf("%d tasks for a load that never needed more than %d: %s", s.desired, limit, s.last.Reason)
			}
		}
		s.seconds(900, 7.3*target)
		moves := s.moves
		s.seconds(900, 7.3*target)
		if s.moves > moves {
			t.Fatalf("a steady load moved the count %d times: %s", s.moves-moves, s.last.Reason)
		}
		if want := max(8, s.cfg.Min); s.desired != want {
			t.Fatalf("%d tasks share a load of 7.3 targets, want %d: %s", s.desired, want, s.last.Reason)
		}
	})
}
