package scaling

import (
	"time"

	"neargate/internal/model"
)

// Fired is when an alarm's action of a policy last ran.
type Fired struct {
	High, Low bool // the alarm was in state ALARM
	At        time.Time
}

// actionEvery is how often a scaling action runs while its alarm stays in
// ALARM (CloudWatch AlarmThatSendsEmail: other actions run on a change only).
const actionEvery = time.Minute

// alarmOpinion is what Application Auto Scaling would do on the state of the
// policy's two alarms: the new count is the running count times metric over
// target, rounded up both ways; the action runs when the alarm goes to ALARM
// and once a minute while it stays.
func (st *State) alarmOpinion(ws *windows, timing Timing, p Policy, i int, obs Observation, now time.Time) opinion {
	var a Alarms
	for _, x := range obs.Alarms {
		if x.Policy == p.Name {
			a = x
		}
	}
	f := &st.Policies[i].Fired
	due := a.High && !f.High || a.Low && !f.Low || now.Sub(f.At) >= actionEvery || now.Before(f.At)
	f.High, f.Low = a.High, a.Low
	o := opinion{known: true, want: obs.Desired}
	o.reason = Reason{Kind: Quiet, Need: obs.Desired}
	value, ok := newestValue(p, obs)
	if !p.Reads(timing) {
		value, ok = datapoint(ws, timing == AWS20 || p.HighResolution, p.Metric, clean(obs.Second))
	}
	if !a.High && !a.Low || p.Target <= 0 || !ok {
		return o
	}
	base, before := max(0, obs.Second.Running), false
	if a.High && st.Order.outLeft(p.ScaleOut, now) > 0 {
		// Capacity added already counts: only a larger result may pass.
		before = st.Order.From < base
		base = min(base, st.Order.From)
	}
	need := ceil(float64(base) * value / p.Target)
	if a.High && obs.Desired == 0 { // no count to multiply with: one task begins
		need = max(need, 1)
	}
	o.reason = Reason{Kind: AlarmState, Tasks: base, Before: before}
	o.reason.size(Measured, Size{Load: value, Need: need})
	if due {
		f.At = now
	} else {
		o.reason.Kind = Resting
	}
	if a.High {
		o.fired = due
		if due {
			o.want = max(need, obs.Desired)
		}
		return o
	}
	o.want, o.agreesIn, o.resting = min(need, obs.Desired), true, !due
	return o
}

// datapoint is the policy's metric over its last period, as CloudWatch would
// average it; ok is false without data.
func datapoint(ws *windows, fine bool, m Metric, s model.ServiceSecond) (value float64, ok bool) {
	period := time.Minute
	if fine && m != RequestsPerTarget {
		period = 20 * time.Second
	}
	w := ws.within(period)
	quota := w.TaskTime.Seconds() * ratio(s.CPUPerTask, s.Interval)
	switch {
	case m == CPU && quota > 0:
		return 100 * w.CPUHigh.Seconds() / quota, true
	case m == Memory && w.MemSpan > 0:
		return 100 * w.Memory / w.MemSpan.Seconds(), true
	case m == RequestsPerTarget && w.TaskTime > 0:
		return float64(w.Arrivals) / w.TaskTime.Seconds() * 60, true
	}
	return 0, false
}
