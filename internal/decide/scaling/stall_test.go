package scaling

import (
	"strings"
	"testing"
)

// shape is a plant for loads that change on it.
type shape struct {
	cores, each float64
	start       int
	low, high   float64 // requests per second
	unbalanced  bool
}

func shapes() map[string]shape {
	return map[string]shape{
		"large tasks":               {cores: 1, each: 0.1, start: 10, low: 10, high: 80},
		"small tasks":               {cores: 0.25, each: 0.025, start: 1, low: 4, high: 42},
		"heavy requests":            {cores: 0.25, each: 0.15, start: 2, low: 1, high: 7},
		"light requests":            {cores: 0.25, each: 0.002, start: 2, low: 40, high: 500},
		"without a load balancer":   {cores: 1, each: 0.1, start: 5, low: 10, high: 60, unbalanced: true},
		"small, no load balancer":   {cores: 0.25, each: 0.02, start: 1, low: 8, high: 60, unbalanced: true},
		"a load that was low first": {cores: 0.25, each: 0.025, start: 1, low: 42, high: 30},
	}
}

func (s shape) plant(seed uint64) *plant {
	p := newPlant(seed, live(2, 20, cpuPolicy(50)), 2)
	p.cores, p.each, p.start, p.unbalanced = s.cores, s.each, s.start, s.unbalanced
	return p
}

// What a stall held up comes at once after it: no more load than before.
func TestStallIsNoStep(t *testing.T) {
	for name, s := range shapes() {
		t.Run(name, func(t *testing.T) {
			orders := 0
			for seed := range uint64(12) {
				p := s.plant(seed)
				p.run(600, constant(s.high))
				before := p.actions
				for seconds := 1; seconds <= 3; seconds++ {
					p.stall(seconds, s.high)
					p.run(30, constant(s.high))
				}
				orders += p.actions - before
				if p.actions > before {
					t.Logf("seed %d:\n%s", seed, strings.Join(p.trace[before:], "\n"))
				}
			}
			if orders > 1 {
				t.Errorf("%d orders by 36 stalls, want at most 1", orders)
			}
		})
	}
}
