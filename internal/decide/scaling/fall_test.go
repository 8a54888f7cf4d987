package scaling

import (
	"strings"
	"testing"
)

// A load that ends brings the minimum by one order, as soon as the window of
// the scale-in has passed.
func TestLoadThatEndsBringsTheMinimumByOneOrder(t *testing.T) {
	const seeds = 12
	for name, s := range shapes() {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(seeds) {
				p := s.plant(seed)
				p.run(90, constant(s.low))
				p.run(60+int(seed)*20, constant(s.high))
				before := p.actions
				p.run(40, constant(0))
				if p.desired != 2 || p.actions > before+1 {
					t.Errorf("seed %d: %d tasks 40 s after the load, in %d orders, want the minimum in one:\n%s",
						seed, p.desired, p.actions-before, p.text())
				}
			}
		})
	}
}

// A burst of two seconds may call for tasks; two minutes later they are gone
// again.
func TestOvershootIsTakenBack(t *testing.T) {
	for name, s := range shapes() {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(12) {
				p := s.plant(seed)
				p.run(600, constant(s.low))
				before := p.actions
				count := p.desired
				p.run(2, constant(4*s.low))
				p.run(118+s.start, constant(s.low))
				if fit := count + max(1, count/5); p.desired > fit || p.actions > before+3 {
					t.Errorf("seed %d: %d tasks two minutes after the burst, want at most %d, in %d orders:\n%s",
						seed, p.desired, fit, p.actions-before, strings.Join(p.trace[before:], "\n"))
				}
			}
		})
	}
}
