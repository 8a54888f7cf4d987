package baseline

import (
	"fmt"
	"math"
	"time"

	"neargate/internal/model"
	"neargate/internal/sim"
)

// Demand says how many tasks a rate of requests needs: by utilisation
// (Utilization) or by latency (Capacity.Need).
type Demand func(rate float64) int

// Utilization needs ⌈rate × demand ÷ (vCPU × target)⌉ tasks, within the bounds.
func Utilization(s Setting, demand time.Duration) Demand {
	return func(rate float64) int {
		n := int(math.Ceil(rate*demand.Seconds()/(s.VCPU*s.Target/100) - 1e-9))
		return min(max(n, s.Min), s.Max)
	}
}

// Series is the need of each second of a load.
func (d Demand) Series(rates []float64) []int {
	out := make([]int, len(rates))
	for i, r := range rates {
		out[i] = d(r)
	}
	return out
}

// Reactive is the limit of all scalers that do not foresee: it is told the
// true rate at once, but a task takes its time to start. It keeps a task that
// is not needed as long as starting another would take, and then lets it go
// (ski rental: at most twice the cost of knowing the future).
type Reactive struct {
	demand  Demand
	recent  window // needs
	desired int
	rate    float64
}

// NewReactive creates a Reactive for tasks that take start to start.
func NewReactive(demand Demand, start time.Duration, initial int) *Reactive {
	return &Reactive{demand: demand, recent: newWindow(int(math.Ceil(start.Seconds())) + 1), desired: initial}
}

// Wants is an Asker's.
func (r *Reactive) Wants() sim.Wants { return sim.Wants{View: true} }

// See is a Witness's.
func (r *Reactive) See(v sim.View) { r.rate = v.Rate }

// Second is a Scaler's.
func (r *Reactive) Second(model.ServiceSecond) (int, string) {
	r.recent.add(float64(r.demand(r.rate)))
	n := int(r.recent.max())
	if n == r.desired {
		return n, ""
	}
	r.desired = n
	return n, fmt.Sprintf("reactive: %.2f requests a second", r.rate)
}

// Clairvoyant knows the load, and has what it needs ready in each second at
// the least cost there is.
type Clairvoyant struct {
	initial int
	desired []int
	at      int
}

// NewClairvoyant creates a Clairvoyant for a load and tasks that take start to
// start. The run must begin with Initial tasks.
func NewClairvoyant(demand Demand, rates []float64, start time.Duration) *Clairvoyant {
	c := &Clairvoyant{}
	c.initial, c.desired = sim.Schedule(demand.Series(rates), start.Seconds())
	return c
}

// Initial is the count to begin with.
func (c *Clairvoyant) Initial() int { return c.initial }

// Wants is an Asker's.
func (c *Clairvoyant) Wants() sim.Wants { return sim.Wants{View: true} }

// See is a Witness's.
func (c *Clairvoyant) See(v sim.View) { c.at = v.At }

// Second is a Scaler's.
func (c *Clairvoyant) Second(model.ServiceSecond) (int, string) {
	return c.desired[min(c.at, len(c.desired)-1)], "clairvoyant"
}
