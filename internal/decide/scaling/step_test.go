package scaling

import (
	"testing"
)

// An eightfold step is answered by its first full second, by orders that reach
// the need at once, or nearly always: a second of 80 requests has a standard
// deviation of 9.
func TestBigStepIsAnsweredByItsFirstSecond(t *testing.T) {
	const seeds, need = 100, 16
	atOnce, oneOrder := 0, 0
	for seed := range uint64(seeds) {
		p := newPlant(seed, live(2, 20, cpuPolicy(50)), 2)
		p.run(120, constant(10))
		p.second(80)
		if p.desired <= 2 {
			t.Errorf("seed %d: no order after the first second: %s", seed, p.last.Reason)
		}
		if p.desired >= need {
			atOnce++
		}
		p.second(80)
		if p.desired < need-2 {
			t.Errorf("seed %d: %d tasks ordered after two seconds, want about %d:\n%s", seed, p.desired, need, p.text())
		}
		before := p.actions
		p.run(28, constant(80))
		if p.actions == 1 && before == 1 {
			oneOrder++
		}
		if p.desired < need {
			t.Errorf("seed %d: %d tasks ordered after 30 s, want %d:\n%s", seed, p.desired, need, p.text())
		}
	}
	t.Logf("of %d seeds, %d reached the need in the first second, %d by a single order", seeds, atOnce, oneOrder)
	if atOnce < 80 || oneOrder < 80 {
		t.Errorf("of %d seeds, %d reached the need in the first second, %d by a single order; want 80", seeds, atOnce, oneOrder)
	}
}

// Noise is no step: at the edge of a count, no order for hours.
func TestNoLoadNoOrders(t *testing.T) {
	p := newPlant(1, live(2, 20, cpuPolicy(50)), 2)
	p.run(3600, constant(0))
	if p.actions > 0 {
		t.Errorf("orders without load:\n%s", p.text())
	}
}
