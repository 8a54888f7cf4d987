package scaling

import "time"

// memoryWindow is how long memory must be above the target: it is a level, not
// a count of events, and has no noise to speak of.
const memoryWindow = 15 * time.Second

// memoryIn is the part of the target that memory must be under before a
// scale-in, as for Application Auto Scaling's low alarm.
const memoryIn = 0.9

// memoryOpinion is what the average memory utilisation wants. It is the
// average of the tasks that were read, so it is multiplied with their number,
// and a new task's memory counts once the task has been in service for the
// window.
func (st *State) memoryOpinion(ws *windows, p Policy, i int, obs Observation, now time.Time) opinion {
	s := clean(obs.Second)
	mean := ws.within(memoryWindow)
	o := opinion{reason: Reason{Kind: NoData, Metric: p.Metric}}
	if s.Running == 0 || mean.MemSpan < memoryWindow*3/4 || mean.TaskTime == 0 {
		return o
	}
	part := mean.Memory / mean.MemSpan.Seconds()
	percent := 100 * part
	l := load{perTask: p.Target / 100}
	used := l.sized(ratio(mean.TaskTime, mean.Span) * part)
	o = opinion{known: true, want: obs.Desired}
	o.reason = Reason{Kind: NearTarget, Metric: p.Metric, Average: percent}
	o.reason.size(Measured, used)
	held := used.Load
	if percent >= memoryIn*p.Target {
		held = max(held, l.perTask*float64(obs.Desired))
	}
	window := max(minScaleIn, st.Startup.time(), p.ScaleIn)
	peak := l.sized(st.Policies[i].Peaks.note(held, window, now))
	switch {
	case percent > p.Target && used.Need > obs.Desired:
		o.want, o.reason.Kind = used.Need, Load
	case used.Need == obs.Desired:
		o.reason.Kind = Load
	case percent < memoryIn*p.Target && used.Need < obs.Desired:
		st.agreeIn(&o, peak, window, obs, now)
	}
	return o
}
