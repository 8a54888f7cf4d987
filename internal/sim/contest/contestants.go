package contest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"neargate/internal/decide/scaling"
	"neargate/internal/sim"
	"neargate/internal/sim/baseline"
)

// sloPercentile is the percentile of latency that the contestants of the SLO keep.
const sloPercentile = 99

// Contestant is one that can run in a contest. Make it with Service or Named.
type Contestant struct {
	Name    string
	slo     bool // it needs the scenario's Capacity
	limit   bool // it is told the truth
	refused error
	enter   func(*Scenario) (s sim.Scaler, initial int)
}

// Service is the server's decisions for a service with all that moves its
// count: also step policies with their alarms, scheduled actions and predictive
// policies. Run refuses what sim.NewService refuses.
func Service(name string, s sim.Service) Contestant {
	_, err := sim.NewService(s, 0)
	c := custom(name, func(initial int) sim.Scaler {
		d, err := sim.NewService(s, initial)
		if err != nil {
			panic("a service that was taken is refused: " + err.Error())
		}
		return d
	})
	c.refused = err
	return c
}

// custom is any scaler; build is called once for each run.
func custom(name string, build func(initial int) sim.Scaler) Contestant {
	return Contestant{Name: name, enter: func(sc *Scenario) (sim.Scaler, int) {
		return build(sc.Plant.Initial), sc.Plant.Initial
	}}
}

// FixedPrefix begins the names of fixed counts: "fixed-8".
const FixedPrefix = "fixed-"

// catalogue is the named contestants but for fixed counts.
func catalogue() []Contestant {
	list := []Contestant{
		tracking("live", scaling.Live), tracking("aws-60", scaling.AWS60), tracking("aws-20", scaling.AWS20),
		{Name: "live-slo", enter: func(sc *Scenario) (sim.Scaler, int) {
			p := scaling.Policy{Name: "slo", Metric: scaling.ResponseTime, Percentile: sloPercentile, Target: sc.Plant.SLO.Seconds()}
			return sim.NewDecider(sc.config(scaling.Live, p), sc.Plant.Initial), sc.Plant.Initial
		}},
		other("hpa", baseline.NewHPA), other("hpa-fast", baseline.NewFastHPA), other("kpa", baseline.NewKPA),
		other("keda", baseline.NewKEDA), other("nomad", baseline.NewNomad), other("gce", baseline.NewGCE),
		other("cpu-rule", baseline.NewCPURule),
		reactive(), clairvoyant("clairvoyant", false, (*Scenario).need),
	}
	slo := func(sc *Scenario) baseline.Demand { return sc.sloNeed }
	return append(list,
		Contestant{Name: "reactive-slo", slo: true, limit: true, enter: func(sc *Scenario) (sim.Scaler, int) {
			first := sc.sloNeed(sc.Plant.Loads()[0])
			return baseline.NewReactive(sc.sloNeed, sc.Plant.Start, first), first
		}},
		clairvoyant("clairvoyant-slo", true, slo),
	)
}

// Names lists the named contestants: "live", "aws-60", "aws-20" track the
// scenario's target by CPU and "live-slo" its SLO; "hpa", "hpa-fast", "kpa",
// "keda", "nomad", "gce", "cpu-rule" are those of others; "reactive" and
// "clairvoyant" are the limits at the target, with "-slo" within the SLO, which no
// lost data and no clock misleads. Besides, "fixed-N" always has N tasks.
func Names() []string {
	var names []string
	for _, c := range catalogue() {
		names = append(names, c.Name)
	}
	return names
}

// Named returns contestants by their names.
func Named(names ...string) ([]Contestant, error) {
	list := catalogue()
	out := make([]Contestant, len(names))
	for i, name := range names {
		if digits, ok := strings.CutPrefix(name, FixedPrefix); ok {
			n, err := strconv.Atoi(digits)
			if err != nil || n < 0 {
				return nil, fmt.Errorf("contestant %q: want a count after %q", name, FixedPrefix)
			}
			out[i] = Contestant{Name: name, enter: func(*Scenario) (sim.Scaler, int) { return baseline.Fixed(n), n }}
			continue
		}
		at := slices.IndexFunc(list, func(c Contestant) bool { return c.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("unknown contestant %q, want %s or %sN", name, strings.Join(Names(), ", "), FixedPrefix)
		}
		out[i] = list[at]
	}
	return out, nil
}

// config is a target with one policy.
func (sc *Scenario) config(t scaling.Timing, p scaling.Policy) scaling.Config {
	p.ScaleOut, p.ScaleIn = sc.Cooldown, sc.Cooldown
	if p.Metric == scaling.ResponseTime {
		p.ScaleOut, p.ScaleIn = 0, 0
	}
	return scaling.Config{Min: sc.Min, Max: sc.Max, Timing: t, Policies: []scaling.Policy{p}}
}

func tracking(name string, t scaling.Timing) Contestant {
	return Contestant{Name: name, enter: func(sc *Scenario) (sim.Scaler, int) {
		p := scaling.Policy{Name: "cpu", Metric: scaling.CPU, Target: sc.Target}
		return sim.NewDecider(sc.config(t, p), sc.Plant.Initial), sc.Plant.Initial
	}}
}

func other[S sim.Scaler](name string, build func(baseline.Setting) S) Contestant {
	return Contestant{Name: name, enter: func(sc *Scenario) (sim.Scaler, int) {
		return build(sc.setting()), sc.Plant.Initial
	}}
}

func reactive() Contestant {
	return Contestant{Name: "reactive", limit: true, enter: func(sc *Scenario) (sim.Scaler, int) {
		return baseline.NewReactive(sc.need(), sc.Plant.Start, sc.Plant.Initial), sc.Plant.Initial
	}}
}

func clairvoyant(name string, slo bool, need func(*Scenario) baseline.Demand) Contestant {
	return Contestant{Name: name, slo: slo, limit: true, enter: func(sc *Scenario) (sim.Scaler, int) {
		start := sc.Plant.Start + sc.Plant.StartJitter
		if f := sc.Plant.Faults; f.SlowStarts > 0 { // it cannot know which ones
			start = time.Duration(float64(start) * f.SlowFactor)
		}
		c := baseline.NewClairvoyant(need(sc), sc.Plant.Loads(), start)
		return c, c.Initial()
	}}
}
