package baseline

import (
	"testing"
)

// TestReplicasByHand are the cases of the replica calculator: 50 % target,
// tolerance 10 %.
func TestReplicasByHand(t *testing.T) {
	pods := func(unready, missing int, usage ...float64) []pod {
		var out []pod
		for _, u := range usage {
			out = append(out, pod{usage: u})
		}
		for range unready {
			out = append(out, pod{unready: true})
		}
		for range missing {
			out = append(out, pod{missing: true})
		}
		return out
	}
	for _, row := range []struct {
		name    string
		current int
		pods    []pod
		want    int
	}{
		{"double the target doubles", 2, pods(0, 0, 1, 1), 4},
		{"within the tolerance", 2, pods(0, 0, 0.549, 0.549), 2},
		{"just beyond it", 2, pods(0, 0, 0.56, 0.56), 3},
		{"half the target", 4, pods(0, 0, 0.25, 0.25, 0.25, 0.25), 2},
		{"no samples: stay", 3, pods(2, 1), 3},
		// 2 pods at 100 %: ratio 2; with 2 unready at 0 it is 1: stay.
		{"starting pods dampen", 4, pods(2, 0, 1, 1), 4},
		// 4 at 100 % and 1 unready: 80 % → ratio 1.6 × 5 = 8.
		{"a few starting pods dampen a little", 5, pods(1, 0, 1, 1, 1, 1), 8},
		// 4 at 30 %: 0.6; the missing one counts as 100 %: 44 % → 0.88 × 5 = 4.4.
		{"a missing pod counts in full inwards", 5, pods(0, 1, 0.3, 0.3, 0.3, 0.3), 5},
		// 2 at 30 % with 2 missing: 65 % → ratio turns to 1.3: stay.
		{"the direction turns: stay", 4, pods(0, 2, 0.3, 0.3), 4},
		// unready ones do not count inwards: 2 at 20 % → 0.4 × 2 = 0.8 → 1.
		{"unready pods do not count inwards", 4, pods(2, 0, 0.2, 0.2), 1},
	} {
		h := NewHPA(setting(row.current))
		if got := h.replicas(row.pods); got != row.want {
			t.Errorf("%s: got %d, want %d", row.name, got, row.want)
		}
	}
}

// TestHPAStepByHand: two busy pods, samples that end at the sync. At 60 the
// sample of 45 to 60 is full: 2 → 4. The new pods are ready at 70; at 75 they
// are unready (their sample began before): ratio 2 over 2 pods, 1 over 4: stay.
// At 90 all four have whole samples at 100 %: 4 → 8. At 105 (8 ready since
// 100): stay; at 120: 8 → 16.
func TestHPAStepByHand(t *testing.T) {
	w := newWorld(t, NewFastHPA(setting(2)), 2, 10)
	w.until(45, 1, 1).has(2)
	w.until(59, 16, 1).has(2).until(60, 16, 1).has(4)
	w.until(89, 16, 1).has(4).until(90, 16, 1).has(8)
	w.until(119, 16, 1).has(8).until(120, 16, 1).has(16)
}

// TestHPALagByHand: with samples that end 17 s before the sync, the one of 43
// to 58 is the first that is full, at 75; before it, that of 28 to 43 at 60 has
// nothing of the step at 45.
func TestHPALagByHand(t *testing.T) {
	w := newWorld(t, NewHPA(setting(2)), 2, 10)
	w.until(45, 1, 1).until(74, 16, 1).has(2).until(75, 16, 1).has(4)
}

// TestBehaviourByHand: 2 may become 6 and 6 become 12, in 15 s each.
func TestBehaviourByHand(t *testing.T) {
	b := newBehaviour(2)
	if got := b.normalize(18, 2, 2, 20, 15); got != 6 {
		t.Errorf("2 wants 18: %d, want 6", got)
	}
	if got := b.normalize(18, 6, 2, 20, 20); got != 6 {
		t.Errorf("again within the period: %d, want 6", got)
	}
	if got := b.normalize(18, 6, 2, 20, 30); got != 12 {
		t.Errorf("a period later: %d, want 12", got)
	}
	// The largest recommendation holds for 300 s, then all goes at once.
	if got := b.normalize(3, 12, 2, 20, 329); got != 12 {
		t.Errorf("299 s after 18 was recommended: %d, want 12", got)
	}
	if got := b.normalize(3, 12, 2, 20, 331); got != 3 {
		t.Errorf("301 s after: %d, want 3", got)
	}
	// The first recommendation is the count it began with.
	young := newBehaviour(8)
	if got := young.normalize(2, 8, 2, 20, 60); got != 8 {
		t.Errorf("a young one: %d, want 8", got)
	}
}

// TestKEDAByHand: polls at 30 and 60; the HPA below syncs every 15 s on what
// was polled. 6 vCPU in use on 8 tasks of a target of 0.5: 12.
func TestKEDAByHand(t *testing.T) {
	w := newWorld(t, NewKEDA(setting(8)), 8, 10)
	w.until(30, 4, 4).has(8)
	w.until(59, 6, 6).has(8).until(60, 6, 6).has(12)
}

// TestKEDAFromAndToZero: the trigger is seen active at the next poll; 300 s
// after it was last, the last task goes.
func TestKEDAFromAndToZero(t *testing.T) {
	s := setting(0)
	s.Min = 0
	w := newWorld(t, NewKEDA(s), 0, 1)
	w.until(31, 0, 0).has(0)
	k, _ := w.s.(*KEDA)
	k.active = 60 // a request waits at the poll of 60
	w.until(60, 0, 0).has(1)
	w.until(359, 0, 0).has(1).until(360, 0, 0).has(0)
}
