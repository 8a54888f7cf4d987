package sim

import (
	"fmt"
	"math"
	"time"

	"neargate/internal/decide/policy"
	"neargate/internal/model"
)

// History is the load of a service before a run. Nobody was late in it: each
// second as many tasks served as Tasks says, their CPU shared evenly.
type History struct {
	End      time.Time // when the run begins
	Rates    []float64 // in each second until then
	Demand   time.Duration
	TaskVCPU float64
	Tasks    func(rate float64) int
}

// Past returns what the metrics of a predictive policy had by the minute, as the
// server's metric store would. It refuses metrics that are not simulated, and
// those of which a load alone does not tell.
func (h History) Past(put model.ScalingPolicy) (policy.Past, error) {
	f, err := newForesight(put, policy.Past{})
	if err != nil {
		return policy.Past{}, err
	}
	for _, t := range f.tapes() {
		if t.on && (t.meter.what == responses || t.meter.what == memoryPercent) {
			return policy.Past{}, fmt.Errorf("%s before the run is not known from its load", t.meter.what)
		}
	}
	var part float64 // of a request that the seconds so far have left over
	for i, rate := range h.Rates {
		whole, rest := math.Modf(rate + part)
		part = rest
		s, busy := h.second(rate, int(whole))
		s.At = h.End.Add(time.Duration(i+1-len(h.Rates)) * time.Second)
		f.second(s, busy, nil)
	}
	return policy.Past{Load: f.load.past, Metric: f.metric.past, Tasks: f.tasks.past}, nil
}

func (h History) second(rate float64, arrivals int) (model.ServiceSecond, gauge) {
	n := h.Tasks(rate)
	s := model.ServiceSecond{
		Interval: time.Second, Balanced: true, Running: n, Sampled: n, Arrivals: arrivals, Completed: arrivals,
		CPUPerTask: time.Duration(h.TaskVCPU * float64(time.Second)),
	}
	used := min(rate*h.Demand.Seconds(), float64(n)*h.TaskVCPU)
	s.CPU = time.Duration(used * float64(time.Second))
	each := used / max(float64(n), 1)
	return s, gauge{n: float64(n), sum: used, least: each, most: each}
}
