package sim

import (
	"math"
	"math/rand/v2"
)

// arrivals draws when requests come and what they need. It has a random stream
// of its own, so that every scaler gets the same requests of one seed.
type arrivals struct {
	rng       *rand.Rand
	mu, sigma float64 // of the lognormal demand, in CPU-seconds
	exp       exponential
}

// The second halves of the seeds of a run's random streams.
const (
	arrivalStream = 0x6e65617267617465
	faultStream   = 0x6661756c74730001
	routingStream = 0x726f757465730002
)

func newArrivals(cfg Config) arrivals {
	variance := math.Log(1 + cfg.CV*cfg.CV)
	return arrivals{
		rng:   rand.New(rand.NewPCG(cfg.Seed, arrivalStream)),
		mu:    math.Log(cfg.Demand.Seconds()) - variance/2,
		sigma: math.Sqrt(variance),
		exp:   newExponential(),
	}
}

// after returns the next arrival after t at a rate.
func (a *arrivals) after(t, rate float64) float64 {
	if rate <= 0 {
		return math.Inf(1)
	}
	return t + a.rng.ExpFloat64()/rate
}

func (a *arrivals) demand() float64 {
	return a.exp.of(a.mu + a.sigma*a.rng.NormFloat64())
}

// exponential computes e^x from a table of 2^(i/64): a run draws one for each
// request, and math.Exp would take a fifth of its time. It is exact to 1e-13.
type exponential struct{ powers [expParts]float64 }

const expParts = 64

func newExponential() exponential {
	var e exponential
	for i := range e.powers {
		e.powers[i] = math.Exp2(float64(i) / expParts)
	}
	return e
}

func (e *exponential) of(x float64) float64 {
	if !(math.Abs(x) < 700) {
		return math.Exp(x)
	}
	k := math.Floor(x*(expParts/math.Ln2) + 0.5)
	r := x - k*(math.Ln2/expParts)
	p := 1 + r*(1+r*(1./2+r*(1./6+r*(1./24+r*(1./120)))))
	n := int(k)
	scale := math.Float64frombits(uint64(1023+n>>6) << 52)
	return p * e.powers[n&(expParts-1)] * scale
}
