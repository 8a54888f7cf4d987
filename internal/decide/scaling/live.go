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
func (st *State) liveOpinion(ws *windows, p Policy, i int, obs Observation, now time.Time) opinion {
	s := second{ServiceSecond: clean(obs.Second)}
	switch p.Metric {
	case CPU:
		if s.cores() <= 0 || p.Target <= 0 {
			break
		}
		l := st.cpuLoad(p, s)
		o := st.track(ws, &l, i, p, obs, now)
		o.reason.Unit = s.cores()
		return st.saturation(ws, o, queue{use: p.Target / 100}, s, obs)
	case ResponseTime:
		if !s.Balanced || s.cores() <= 0 || p.Target <= 0 {
			break
		}
		l, known := st.responseLoad(p, st.Policies[i].Response, s)
		if !known {
			break
		}
		o := st.track(ws, &l, i, p, obs, now)
		o.reason.Unit, o.reason.Strict = s.cores(), l.slo.strict
		return st.saturation(ws, o, queue{l.slo.use(s.Running), l.slo.crowd(s.Running)}, s, obs)
	case RequestsPerTarget:
		if !s.Balanced || p.Target <= 0 {
			break
		}
		l := st.requestLoad(p)
		return st.track(ws, &l, i, p, obs, now)
	case Memory:
		if p.Target <= 0 {
			break
		}
		return st.memoryOpinion(ws, p, i, obs, now)
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
	peak := l.sized(st.Policies[i].Peaks.note(most, window, now))
	fresh := l.lately(ws, st.Demand.perRequest(), obs)
	left := l.sized(st.Policies[i].Lately.note(fresh, window, now))
	switch {
	case o.want > obs.Desired:
	case 2*left.Need <= obs.Desired && left.Need < peak.Need && now.Sub(st.Order.OutAt) >= window:
		// The load has collapsed, and stayed so for a whole window: no need
		// to wait until the longer windows have forgotten it.
		o.reason.Estimate = fresh / margin
		o.reason.size(AtMost, l.sized(fresh))
		st.agreeIn(&o, left, window, obs, now)
	case l.need(high) >= obs.Desired:
		o.reason.steady(l, mean, min(low, l.carries(obs.Desired)), high, obs.Desired)
	case sure.main.Change < 0 && sure.main.Span < minScaleIn+settle:
		o.reason.size(AtMost, l.sized(high))
		o.reason.Kind = Settling
	case (obs.Desired-peak.Need)*10 < obs.Desired && sure.main.Span < patience:
		o.reason.size(AtMost, l.sized(high))
		o.reason.Kind, o.reason.Peak, o.reason.Window = Small, peak, window
	default:
		o.reason.size(AtMost, l.sized(high))
		st.agreeIn(&o, peak, window, obs, now)
	}
	return o
}

// patience is how long a load must have been the same before less than a tenth
// of the tasks is taken away.
const patience = 2 * time.Minute

// tolerance is how far above the target the load must surely be: less is not
// worth a task, and a load at the very edge must not go to and fro.
const tolerance = 1.01

// minScaleIn is the shortest window whose largest need a scale-in keeps.
const minScaleIn = 30 * time.Second

// settle is how long it takes until a fall of the load is known well enough to
// be followed in one step.
const settle = 8 * time.Second

// agreeIn lets o agree to the peak of the window, if that is lower and the
// data reach back far enough.
func (st *State) agreeIn(o *opinion, peak Size, window time.Duration, obs Observation, now time.Time) {
	o.reason.Peak, o.reason.Window = peak, window
	o.reason.Need = max(peak.Need, o.reason.Size.Need)
	if young := max(minCalm, window) - now.Sub(st.Since); young > 0 {
		o.reason.Kind, o.reason.Left = TooNew, young
		return
	}
	if o.reason.Need >= obs.Desired {
		o.reason.Kind = Waiting
		return
	}
	o.want, o.agreesIn, o.reason.Kind = o.reason.Need, true, Load
}
