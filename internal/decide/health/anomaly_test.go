package health_test

import (
	"testing"

	"pgregory.net/rapid"

	"neargate/internal/decide/health"
)

// after judges a group for so many seconds, each the same.
func after(seconds int, targets []health.Anomaly, seen []health.Seen, mitigate bool) []health.Anomaly {
	for range seconds {
		targets = health.Judge(targets, seen, mitigate)
	}
	return targets
}

func TestJudge(t *testing.T) {
	good, bad := health.Seen{Requests: 100}, health.Seen{Requests: 100, Failures: 60}
	rows := []struct {
		name      string
		seen      []health.Seen
		mitigate  bool
		anomalous []bool
		mitigated bool
	}{
		{"all well", []health.Seen{good, good, good}, true, []bool{false, false, false}, false},
		{"one fails", []health.Seen{good, bad, good}, true, []bool{false, true, false}, true},
		{"one fails, nothing is done", []health.Seen{good, bad, good}, false, []bool{false, true, false}, false},
		{"all fail alike", []health.Seen{bad, bad, bad}, true, []bool{false, false, false}, false},
		{"one of two", []health.Seen{good, bad}, true, []bool{false, false}, false},
		{"one fails a little more than the others", []health.Seen{{Requests: 100, Failures: 1}, {Requests: 100, Failures: 4}, {Requests: 100, Failures: 1}}, true, []bool{false, false, false}, false},
		{"too few requests", []health.Seen{good, {}, good}, true, []bool{false, false, false}, false},
		{"half of them", []health.Seen{good, bad, good, bad}, true, []bool{false, true, false, true}, false},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			got := after(30, make([]health.Anomaly, len(r.seen)), r.seen, r.mitigate)
			for i, a := range got {
				if a.Anomalous != r.anomalous[i] {
					t.Errorf("target %d: anomalous = %v: %+v", i, a.Anomalous, a)
				}
				if want := r.mitigated && r.anomalous[i]; a.Mitigated() != want {
					t.Errorf("target %d: mitigated = %v: %+v", i, a.Mitigated(), a)
				}
			}
		})
	}
}

func TestJudgeLetsATargetBack(t *testing.T) {
	good, bad := health.Seen{Requests: 100}, health.Seen{Requests: 100, Failures: 100}
	ill := after(10, make([]health.Anomaly, 4), []health.Seen{good, bad, good, good}, true)
	if w := ill[1].Weight(); w > 0.02 || w == 0 {
		t.Fatalf("weight %v of a target that fails for 10 s, want little, but not none", w)
	}
	well := after(60, ill, []health.Seen{good, {Requests: 2}, good, good}, true)
	if well[1].Anomalous || well[1].Weight() != 1 {
		t.Errorf("a minute after its last failure: %+v", well[1])
	}
}

// Weights stay between a little and all, and what is not anomalous never loses any.
func TestJudgeBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "targets")
		targets := make([]health.Anomaly, n)
		for range rapid.IntRange(1, 40).Draw(t, "seconds") {
			seen := make([]health.Seen, n)
			for i := range seen {
				seen[i].Requests = rapid.IntRange(0, 50).Draw(t, "requests")
				seen[i].Failures = rapid.IntRange(0, seen[i].Requests).Draw(t, "failures")
			}
			next := health.Judge(targets, seen, rapid.Bool().Draw(t, "mitigate"))
			for i, a := range next {
				if w := a.Weight(); w <= 0 || w > 1 {
					t.Fatalf("weight %v", w)
				}
				if !a.Anomalous && a.Weight() < targets[i].Weight() {
					t.Fatalf("a normal target lost weight: %+v, then %+v", targets[i], a)
				}
			}
			targets = next
		}
	})
}
