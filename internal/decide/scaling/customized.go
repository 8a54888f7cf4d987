package scaling

import "time"

// Customized is the metric of a policy that brings its own.
const Customized Metric = "CustomizedMetric"

// Reads reports whether a policy needs an Observation's Values: those with a metric
// that is not read off the service itself.
func (p Policy) Reads(timing Timing) bool {
	return p.Metric == Customized || p.Metric == ResponseTime && timing != Live
}

// customizedOpinion is what a customized metric wants. It must be one that
// falls when tasks are added; then value × tasks is the load that they share. A
// value is only ever multiplied with tasks that were in force while it was
// measured, so values of before an order say the same after it, and no
// datapoint adds tasks twice.
func (st *State) customizedOpinion(p Policy, i int, obs Observation, now time.Time) opinion {
	t := st.Policies[i].Tracked.learn(p, obs, now)
	st.Policies[i].Tracked = t
	o := opinion{reason: Reason{Kind: NoData, Metric: p.Metric}}
	last, ok := t.newest()
	if !ok || p.Target <= 0 || now.Sub(last.end()) > fresh(last.Period) {
		return o
	}
	l := load{perTask: p.Target}
	least, most := l.sized(last.Value*float64(last.Least)), l.sized(last.Value*float64(last.Most))
	held := most.Load
	if last.Value >= memoryIn*p.Target {
		held = max(held, l.perTask*float64(obs.Desired))
	}
	window := max(minScaleIn, st.Startup.time(), p.ScaleIn, last.Period)
	peak := l.sized(st.Policies[i].Peaks.note(held, window, now))
	o = opinion{known: true, want: obs.Desired}
	o.reason = Reason{Kind: Near, Metric: p.Metric, Value: last.Value}
	o.reason.size(Measured, least)
	switch {
	case last.Value > tolerance*p.Target:
		o.addFor(t, &l, last, p, obs)
	case last.Value < memoryIn*p.Target && most.Need < obs.Desired:
		o.reason.size(Measured, most)
		st.agreeIn(&o, peak, window, obs, now)
		young := max(minCalm, window) - now.Sub(t.Since)
		switch {
		case !o.agreesIn:
		case now.Sub(t.Came) > late(last.Period):
			o.reason.Kind = Late
		case young > 0:
			o.reason.Kind, o.reason.Left = TooNew, young
		}
		if o.reason.Kind != Load {
			o.agreesIn, o.want = false, obs.Desired
		}
	}
	return o
}

// addFor wants what a value above the target needs, if it surely is above.
func (o *opinion) addFor(t *Tracked, l *load, last Paired, p Policy, obs Observation) {
	x, sure := t.above(tolerance * p.Target)
	s := l.sized(x)
	if obs.Desired == 0 { // no count to multiply with: one task begins
		s.Need = max(s.Need, 1)
	}
	o.reason.size(Measured, s)
	o.reason.Kind = Load
	switch {
	case s.Need <= obs.Desired:
	case !sure:
		o.reason.Kind = Unsure
	case !last.Start.After(t.Acted):
		o.reason.Kind = Acted
	default:
		o.want, t.Acted = s.Need, last.Start
	}
}

// newestValue is the newest datapoint that an observation brings of a policy.
func newestValue(p Policy, obs Observation) (value float64, ok bool) {
	var at time.Time
	for _, v := range obs.Values {
		if v.Policy == p.Name && (!ok || v.Start.After(at)) {
			value, at, ok = v.Value, v.Start, true
		}
	}
	return value, ok
}
