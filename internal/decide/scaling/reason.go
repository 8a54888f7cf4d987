package scaling

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Kind is what a reason is about.
type Kind int

// The kinds of reasons.
const (
	Steady      Kind = iota // the load fits the count
	NoData                  // nothing was measured
	TooNew                  // not enough history to lower a count
	NoPolicy                // the target has no policy
	Load                    // the offered load needs another count
	Saturated               // the tasks are busy and requests wait
	MemoryUse               // memory needs another count
	AlarmState              // an alarm's action
	Waiting                 // a lower count was needed a moment ago
	OneDisagree             // another policy does not want a lower count
	Cooldown                // of the scale-in
	Deployment              // scale-in is off during deployments
	Suspended               // by the scalable target
	InDisabled              // by the policy
	ToBound                 // a count outside the bounds goes to the bound first
)

// Reason says why a count was decided, with the numbers it rests on.
type Reason struct {
	Kind    Kind
	Policy  string
	Metric  Metric
	Offered float64       // vCPU, requests per second, percent of memory, or the alarm's datapoint
	Target  float64       // the policy's
	Unit    float64       // vCPU of one task
	Waiting float64       // requests in flight and queued
	Need    int           // the count wanted
	Current int           // the desired count at that moment
	Held    int           // the bound that Need was held to; see Bounded
	Bounded string        // "", "min" or "max"
	Left    time.Duration // until it may happen
}

// String gives the reason as one sentence.
func (r Reason) String() string {
	s := r.sentence()
	if r.Bounded != "" {
		s += fmt.Sprintf(", held to %s %d", r.Bounded, r.Held)
	}
	return s
}

func (r Reason) sentence() string {
	switch r.Kind {
	case Load, Steady:
		return r.load()
	case Saturated:
		return fmt.Sprintf("%.0f requests wait on busy tasks: %s vCPU offered and the backlog at target %s %% of %s need %d",
			r.Waiting, number(r.Offered), number(r.Target), number(r.Unit), r.Need)
	case MemoryUse:
		return fmt.Sprintf("memory at %s %% of %d tasks at target %s %% needs %d", number(r.Offered), r.Current, number(r.Target), r.Need)
	case AlarmState:
		return fmt.Sprintf("metric at %s with target %s needs %d", number(r.Offered), number(r.Target), r.Need)
	case Waiting:
		return fmt.Sprintf("%s, but up to %d were needed a moment ago", r.load(), r.Held)
	case TooNew:
		return fmt.Sprintf("%s, but the data reach back too short to lower %d: %s to go", r.load(), r.Current, r.Left.Round(time.Second))
	case Cooldown:
		return fmt.Sprintf("%s, but the scale-in cooldown has %s to go", r.load(), r.Left.Round(time.Second))
	case Deployment:
		return r.load() + ", but scale-in is off while a deployment is in progress"
	case Suspended:
		return r.load() + ", but scaling in this direction is suspended"
	case InDisabled:
		return r.load() + ", but the policy's scale-in is disabled"
	case OneDisagree:
		return fmt.Sprintf("%s, but policy %s does not agree to fewer", r.load(), r.Policy)
	case ToBound:
		return fmt.Sprintf("desired count %d is outside the bounds", r.Current)
	case NoPolicy:
		return "no scaling policy"
	}
	return "no data: held at " + strconv.Itoa(r.Current)
}

func (r Reason) load() string {
	verb := "needs"
	if r.Kind == Steady {
		verb = "fits"
	}
	switch r.Metric {
	case CPU:
		return fmt.Sprintf("offered %s vCPU at target %s %% of %s %s %d", number(r.Offered), number(r.Target), number(r.Unit), verb, r.Need)
	case RequestsPerTarget:
		return fmt.Sprintf("%s requests a minute at target %s per task %s %d", number(r.Offered*60), number(r.Target), verb, r.Need)
	case Memory:
		return fmt.Sprintf("memory at %s %% at target %s %% %s %d", number(r.Offered), number(r.Target), verb, r.Need)
	}
	return fmt.Sprintf("%s with target %s %s %d", number(r.Offered), number(r.Target), verb, r.Need)
}

// number prints at most three significant digits: 0.25, 4.1, 62.5, 1234.
func number(x float64) string {
	digits := 2
	switch {
	case math.Abs(x) >= 100:
		digits = 0
	case math.Abs(x) >= 1:
		digits = 1
	}
	scale := math.Pow10(digits)
	return strconv.FormatFloat(math.Round(x*scale)/scale, 'f', -1, 64)
}
