package scaling

import "time"

// Strictness of the evidence, in parts of the full confidence.
const (
	surely   = 1.0 // to go out from a steady state
	steadyIn = 0.8 // to go in from a steady state
	likely   = 0.7 // for either while the load is moving
	promptly = 0.4 // to go out for an SLO: too few tasks cost answers, one too many costs a task
	gladly   = 0.6 // to go in for one: what went out for nothing comes back
)

// moving is how long after a sure change of the load smaller evidence suffices.
const moving = 90 * time.Second

// liveOpinion is what a policy wants by the measured load.
func (st *State) liveOpinion(ws *windows, cfg Config, i int, obs Observation, now time.Time) opinion {
	p := cfg.Policies[i]
	s := second{ServiceSecond: clean(obs.Second)}
	switch p.Metric {
	case CPU:
		if s.cores() <= 0 || p.Target <= 0 {
			break
		}
		l := st.cpuLoad(p, s)
		l.least = cfg.Min
		o := st.track(ws, &l, i, p, obs, now)
		o.reason.Unit = s.cores()
		return st.saturation(ws, o, queue{use: p.Target / 100}, s, obs, now)
	case ResponseTime:
		if !s.Balanced || s.cores() <= 0 || p.Target <= 0 {
			break
		}
		l, known := st.responseLoad(p, st.Policies[i].Response, s)
		if !known {
			break
		}
		l.least = cfg.Min
		o := st.track(ws, &l, i, p, obs, now)
		o.reason.Unit, o.reason.Strict = s.cores(), l.slo.strict
		return st.saturation(ws, o, queue{l.slo.use(s.Running), l.slo.crowd(s.Running)}, s, obs, now)
	case RequestsPerTarget:
		if !s.Balanced || p.Target <= 0 {
			break
		}
		l := st.requestLoad(p)
		l.least = cfg.Min
		return st.track(ws, &l, i, p, obs, now)
	case Memory:
		if p.Target <= 0 {
			break
		}
		return st.memoryOpinion(ws, p, i, obs, now)
	case Customized: // it is no load: see customizedOpinion
	}
	return opinion{reason: Reason{Kind: NoData, Metric: p.Metric}}
}

// bounds says between what the load surely lies: above low a count must carry,
// below high it need not. The narrower evidence for going in also bounds low:
// after a fall, windows that reach back to before it still claim the old load.
func (l *load) bounds(ws *windows) (sure view, low float64, in envelope) {
	sure = l.view(ws, l.out)
	strictness := l.in
	if sure.falling {
		strictness = min(strictness, likely)
	}
	less := l.view(ws, strictness)
	in = less.main
	lead := min(sure.lead.Low, less.lead.High)
	low = max(min(sure.main.Low, in.High), lead)
	if sure.rising {
		mid := l.view(ws, likely)
		low = max(low, mid.main.Low, mid.lead.Low)
	}
	in.High, in.Under = max(in.High, lead), max(in.Under, lead)
	return sure, low, in
}

// track decides for a load.
func (st *State) track(ws *windows, l *load, i int, p Policy, obs Observation, now time.Time) opinion {
	startup := st.Startup.time()
	sure, low, in := l.bounds(ws)
	high := in.High
	if sure.main.Change >= 0 {
		// Windows that reach back to before a slow rise make high too low.
		high = max(high, l.recent(ws), l.trend(ws, sure, startup))
	}
	if sure.main.Change > 0 {
		// So do those that reach back to before a rise of long ago.
		high = max(high, sure.main.Mean)
	}
	o := opinion{known: true, want: obs.Desired}
	mean := max(sure.main.Mean, sure.lead.Mean)
	o.reason = Reason{Metric: p.Metric, Estimate: in.Under}
	window := max(minScaleIn, startup, p.ScaleIn)
	most := high
	if low > l.carries(obs.Desired)*tolerance {
		x, basis := l.size(ws, sure, startup)
		if low > x {
			x, basis = low, AtLeast
		}
		o.reason.Kind, o.reason.Estimate = Load, mean
		o.reason.size(basis, l.sized(x))
		o.want, most = o.reason.Need, max(high, x)
	}
	in.High = high
	st.lower(&o, ws, l, lowering{in: in, most: most, sure: &sure, low: low, mean: mean}, i, window, obs, now)
	return o
}

// tolerance is how far above the target the load must surely be: less is not
// worth a task, and a load at the very edge must not go to and fro.
const tolerance = 1.01
