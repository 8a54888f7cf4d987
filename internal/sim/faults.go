package sim

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Faults is what goes wrong in a run; the zero value is nothing. What is left
// to chance comes from a random stream of its own.
type Faults struct {
	// Crashes is how often a serving task crashes, in crashes an hour of one
	// task. Its requests fail; a new task is ordered in its place.
	Crashes float64
	// SlowStarts is the share of starts that take SlowFactor times as long.
	SlowStarts, SlowFactor float64
	// LostSeconds is the share of seconds that the scaler does not get to see.
	LostSeconds float64
	// LostSamples is the share of readings of a task's CPU and memory that
	// are missing from a second.
	LostSamples float64
	// Stalls are times in which nothing is read and decided; the next second
	// that is read covers all of it.
	Stalls []Stall
	// Jumps move the clock that stamps the seconds.
	Jumps []Jump
	// Drift multiplies the demand of the requests of each second; the last
	// value holds on. Empty is 1.
	Drift []float64
}

// Stall begins with second At and lasts For seconds.
type Stall struct{ At, For int }

// Jump moves the clock by By from second At on.
type Jump struct {
	At int
	By time.Duration
}

func (f Faults) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	share := func(name string, v float64) { check(v >= 0 && v <= 1, "%s %v must lie between 0 and 1", name, v) }
	check(f.Crashes >= 0 && f.Crashes <= 3600, "crashes %v must lie between 0 and 3600 an hour", f.Crashes)
	share("share of slow starts", f.SlowStarts)
	share("share of lost seconds", f.LostSeconds)
	share("share of lost samples", f.LostSamples)
	check(f.SlowStarts == 0 || f.SlowFactor >= 1 && !math.IsInf(f.SlowFactor, 0), "slow start factor %v must be at least 1", f.SlowFactor)
	for _, s := range f.Stalls {
		check(s.At >= 0 && s.For >= 0, "stall at %d for %d seconds must not be negative", s.At, s.For)
	}
	for _, v := range f.Drift {
		check(v > 0 && !math.IsInf(v, 0), "demand drift %v must be above 0", v)
	}
	return errors.Join(errs...)
}

// Unseen are the faults that come over the plant alone: what a scaler sees and
// what its clock shows is true.
func (f Faults) Unseen() Faults {
	f.LostSeconds, f.LostSamples, f.Stalls, f.Jumps = 0, 0, nil, nil
	return f
}

// Loads is what arrives in each second, in requests of the mean demand: the
// rates with the drift of the demand.
func (c Config) Loads() []float64 {
	if len(c.Faults.Drift) == 0 {
		return c.Rates
	}
	out := make([]float64, len(c.Rates))
	for i, r := range c.Rates {
		out[i] = r * c.Faults.drift(i)
	}
	return out
}

// drift is the factor of the demand in second i.
func (f *Faults) drift(i int) float64 {
	if len(f.Drift) == 0 {
		return 1
	}
	return f.Drift[min(i, len(f.Drift)-1)]
}

// stalled reports that nothing is read at the end of second i.
func (f *Faults) stalled(i int) bool {
	for _, s := range f.Stalls {
		if i >= s.At && i < s.At+s.For {
			return true
		}
	}
	return false
}

// stamp is what a clock that began at begin shows at the end of second i.
func (f *Faults) stamp(begin time.Time, i int) time.Time {
	return f.clock(begin, float64(i+1))
}

// clock returns what the clock shows so many seconds from the beginning.
func (f *Faults) clock(begin time.Time, now float64) time.Time {
	if begin.IsZero() {
		begin = time.Unix(0, 0)
	}
	at := begin.UTC().Add(time.Duration(now * float64(time.Second)))
	i := int(math.Ceil(now)) - 1
	for _, j := range f.Jumps {
		if i >= j.At {
			at = at.Add(j.By)
		}
	}
	return at
}

// chance says yes with probability p; it draws only when it must.
func chance(rng *rand.Rand, p float64) bool { return p > 0 && rng.Float64() < p }
