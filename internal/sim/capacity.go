package sim

import (
	"errors"
	"fmt"
	"math"

	"neargate/internal/model"
)

// Capacity is what counts of tasks can carry within a latency: found by
// simulation of constant loads, so that it rests on no formula. Its values are
// plain data; making it takes seconds for twenty tasks, so make one for a
// plant and keep it.
type Capacity struct {
	// Rates[n] is the highest rate of requests a second that n tasks carry
	// with the percentile within the SLO; Rates[0] is 0.
	Rates []float64
}

// capacityRequests is how many requests a probe of one rate runs: the share of
// late ones at the 99th percentile is then known to a tenth or so, and the rate
// to half a percent.
const capacityRequests = 150_000

// NewCapacity finds the capacities of 1 to most tasks of the plant that cfg
// describes (its load, count, start-up, faults and scaler do not matter), for
// the SLO in cfg and a percentile of latency.
func NewCapacity(cfg Config, percentile float64, most int) (Capacity, error) {
	var errs []error
	if cfg.SLO <= 0 {
		errs = append(errs, fmt.Errorf("SLO %v must be above 0", cfg.SLO))
	}
	if !(percentile > 0 && percentile < 100) {
		errs = append(errs, fmt.Errorf("percentile %v must lie between 0 and 100", percentile))
	}
	if most < 1 {
		errs = append(errs, fmt.Errorf("count %d must be at least 1", most))
	}
	if err := errors.Join(errs...); err != nil {
		return Capacity{}, err
	}
	c := Capacity{Rates: make([]float64, 1, most+1)}
	least := 0.0 // utilisation that one task fewer carries: more carry no less
	for n := 1; n <= most; n++ {
		u, err := utilization(cfg, percentile, n, least)
		if err != nil {
			return Capacity{}, err
		}
		least = u
		c.Rates = append(c.Rates, u*full(cfg, n))
	}
	return c, nil
}

// MaxRate finds the capacity of n tasks alone; see NewCapacity.
func MaxRate(cfg Config, percentile float64, n int) (float64, error) {
	u, err := utilization(cfg, percentile, n, 0)
	return u * full(cfg, n), err
}

// full is the rate that fills n tasks.
func full(cfg Config, n int) float64 {
	return float64(n) * cfg.TaskVCPU / cfg.Demand.Seconds()
}

// utilization halves [least, 1] until it is 0.4 % wide.
func utilization(cfg Config, percentile float64, n int, least float64) (float64, error) {
	low, high := least, 1.0
	for high-low > 0.004 {
		mid := (low + high) / 2
		ok, err := within(cfg, percentile, n, mid*full(cfg, n))
		if err != nil {
			return 0, err
		}
		if ok {
			low = mid
		} else {
			high = mid
		}
	}
	return low, nil
}

// within reports whether n tasks carry a rate.
func within(cfg Config, percentile float64, n int, rate float64) (bool, error) {
	seconds := int(math.Ceil(capacityRequests / rate))
	cfg.Rates = make([]float64, seconds)
	for i := range cfg.Rates {
		cfg.Rates[i] = rate
	}
	cfg.Initial, cfg.Start, cfg.StartJitter, cfg.Faults, cfg.Scaler = n, 0, 0, Faults{}, hold(n)
	r, err := Run(cfg)
	if err != nil {
		return false, fmt.Errorf("probe %d tasks at %.1f requests a second: %w", n, rate, err)
	}
	return float64(r.Late) <= (1-percentile/100)*float64(r.Requests), nil
}

// Need is the smallest count that carries a rate, at most the largest known.
func (c Capacity) Need(rate float64) int {
	for n, most := range c.Rates {
		if rate <= most {
			return n
		}
	}
	return len(c.Rates) - 1
}

// hold always wants the same count.
type hold int

// Second is a Scaler's.
func (h hold) Second(model.ServiceSecond) (int, string) { return int(h), "" }
