package autoscaler

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
)

// noise lets n seconds pass in which requests of 0.1 CPU-seconds come at
// random, mean of them in the middle.
func (r *rig) noise(n int, mean float64) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range n {
		came := 0
		for x := rnd.ExpFloat64(); x < mean; x += rnd.ExpFloat64() {
			came++
		}
		r.seconds(1, came)
	}
}

func (r *rig) start(n int) {
	svc := r.sched.all["c/web"]
	svc.DesiredCount, r.running = n, n
	r.sched.all["c/web"] = svc
}

// held counts the lines of explain on a count that was held, and gives the
// last of them.
func (r *rig) held(count int) (lines int, last Explained) {
	for _, e := range r.Reasons(web, keptReasons) {
		if e.From == count && e.To == count {
			if lines++; lines == 1 {
				last = e
			}
		}
	}
	return lines, last
}

func TestWanderingNumbersAreOneLine(t *testing.T) {
	slo := tracking("slo")
	slo.Tracking.Target, slo.Tracking.Predefined = 0.5, ""
	slo.Tracking.Customized = &model.CustomizedMetric{Statistic: "p95", Metric: model.MetricID{
		Namespace: "AWS/ApplicationELB", Name: "TargetResponseTime",
		Dimensions: []model.Dimension{{Name: "TargetGroup", Value: "targetgroup/tg/73e2d6bc24d8a067"}},
	}}
	slow := tracking("cpu")
	slow.Tracking.ScaleIn = 5 * time.Minute
	for name, c := range map[string]struct {
		p     model.ScalingPolicy
		start int
		most  int // lines while the first count is held
	}{
		"CPU, more than is needed": {slow, 16, 2},
		"SLO, a little more":       {slo, 8, 3},
	} {
		t.Run(name, func(t *testing.T) {
			r := fresh(t)
			r.register(1, 30)
			r.put(c.p)
			r.start(c.start)
			r.noise(240, 52)
			if n, _ := r.held(c.start); n == 0 || n > c.most {
				t.Errorf("%d lines on a count that is held, want 1 to %d: %+v", n, c.most, r.Reasons(web, keptReasons))
			}
		})
	}
}

func TestPausesAndClockJumpsBeginNewLines(t *testing.T) {
	r := fresh(t)
	r.register(2, 8)
	for range 3 {
		r.seconds(5, 1)
		r.clock = r.clock.Add(time.Minute)
	}
	r.clock = r.clock.Add(-time.Hour)
	r.seconds(5, 1)
	n, last := r.held(2)
	if n != 4 || last.Until.Sub(last.Since) != 4*time.Second {
		t.Errorf("%d lines, the last %+v; want 4, the last of 5 seconds", n, last)
	}
}

func TestAlarmThatRingsAtTheMaximumIsOneLine(t *testing.T) {
	r := fresh(t)
	r.register(2, 2, model.Tag{Key: TimingTag, Value: "aws-60"})
	r.put(tracking("cpu"))
	r.noise(70, 16)
	r.book.ring("-AlarmHigh-", "ALARM")
	r.noise(600, 16)
	n, last := r.held(2)
	if n != 2 || !strings.HasSuffix(last.Reason, ", held to max 2") {
		t.Errorf("%d lines, the last %+v; want the quiet time and one that names the maximum", n, last)
	}
}
