package scaling

import "time"

// Going in. A count is lowered to what the load surely does not exceed now, but
// not below what a window of the past needed, so that a dip takes nothing away;
// and not while a little patience makes one order of two.

const (
	// minScaleIn is the shortest window whose largest need a scale-in keeps.
	minScaleIn = 30 * time.Second
	// settle is how long it takes until a fall of the load is known well
	// enough to be followed in one step.
	settle = 8 * time.Second
	// trial is how long a count is unproven.
	trial = 90 * time.Second
	// patience is how long a load must have been the same before less than a
	// tenth of the tasks is taken away.
	patience = 2 * time.Minute
)

// lowering is what is known of a load when a count may be lowered.
type lowering struct {
	in        envelope // High is what it surely is not above
	most      float64  // what the window's peak is to take in
	sure      *view
	low, mean float64
}

// lower lets o agree to a lower count, or says why not. An o that wants to go
// out is left as it is.
func (st *State) lower(o *opinion, ws *windows, l *load, k lowering, i int, window time.Duration, obs Observation, now time.Time) {
	peak := l.sized(st.Policies[i].Peaks.note(k.most, window, now))
	fresh := l.lately(ws, st.Demand.perRequest(), obs)
	left := l.sized(st.Policies[i].Lately.note(fresh, window, now))
	change := &k.sure.main
	if o.want > obs.Desired {
		return
	}
	if 2*left.Need <= obs.Desired && left.Need < peak.Need && since(st.Order.OutAt, now) >= window {
		// The load has collapsed, and stayed so for a whole window: no need
		// to wait until the longer windows have forgotten it.
		o.reason.Estimate = fresh / margin
		o.reason.size(AtMost, l.sized(fresh))
		end, soon := o.reason.Need, l.need(st.Policies[i].Lately.lately(window-settle))
		if left.Need > max(soon, l.least) && soon == end {
			// What the window holds of the time before goes in a moment:
			// one order to the end instead of two.
			o.reason.Kind = Settling
			return
		}
		st.agreeIn(o, left, window, obs, now)
		return
	}
	enough := l.sized(k.in.High)
	if enough.Need >= obs.Desired {
		o.reason.steady(l, k.mean, min(k.low, l.carries(obs.Desired)), k.in.High, obs.Desired)
		return
	}
	o.reason.size(AtMost, enough)
	switch {
	case change.Change < 0 && change.Span < minScaleIn+settle:
		o.reason.Kind = Settling
	case (obs.Desired-peak.Need)*10 < obs.Desired && change.Span < patience,
		unripe(peak.Need, enough.Need, l.need(k.in.Under), obs.Desired, st.Order.young(k.in, now), window):
		o.reason.Kind, o.reason.Peak, o.reason.Window = Small, peak, window
	default:
		st.agreeIn(o, peak, window, obs, now)
	}
}

// young is how old what is known of the load is as far as a scale-in rests on
// it: since the count came into service; since the load has surely been so low,
// where less will do; and since the last scale-in, where still less will do, so
// that the second one is the last.
func (o Order) young(in envelope, now time.Time) time.Duration {
	return min(since(o.OutAt, now), in.Since*5/2, since(o.InAt, now)+trial/3)
}

// unripe reports that a scale-in had better wait when what is known is so young:
// one order will soon take the count to where it will end instead of two. Peak
// is what the window needed, enough what surely is enough now, likely what
// probably is. Half of the tasks and more are not kept for that.
func unripe(peak, enough, likely, desired int, young, window time.Duration) bool {
	count := max(peak, enough)
	switch {
	case 2*(desired-count) >= desired:
		return false
	case young < minScaleIn:
		return true
	case young < trial:
		return count > likely
	case young < trial+window:
		return peak > enough
	}
	return false
}

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
	if st.Order.unseen(obs, now) {
		o.reason.Kind = UnderWay
		return
	}
	o.want, o.agreesIn, o.reason.Kind = o.reason.Need, true, Load
}
