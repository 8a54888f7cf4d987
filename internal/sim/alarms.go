package sim

import (
	"errors"
	"slices"
	"strings"
	"time"

	"neargate/internal/decide/alarm"
	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// watch keeps alarms as the server keeps them.
type watch struct {
	alarms []kept
	states []scaling.Alarms // of each policy's managed alarms
}

// kept is one alarm with the data of its metric.
type kept struct {
	model.Alarm
	owner  int         // index of its policy
	kind   policy.Kind // of a managed alarm; else ""
	steps  []string    // step policies that are among its actions
	recent []float64
	of     formula
	taken  time.Time // the last turn
}

func newKept(al model.Alarm) (kept, error) {
	queries := al.Queries
	if len(queries) == 0 {
		queries = []model.MetricQuery{{ID: "m", Metric: al.Metric, Statistic: al.Statistic, Period: al.Period}}
	}
	length := time.Duration(alarm.Range(al)) * max(al.Period, alarm.ShortTurn)
	of, err := newFormula(queries, alarm.ShortTurn, length)
	k := kept{Alarm: al, of: of}
	k.State = alarm.Insufficient
	return k, err
}

// newWatch has no alarms yet.
func newWatch(cfg scaling.Config) *watch {
	w := &watch{states: make([]scaling.Alarms, len(cfg.Policies))}
	for i, p := range cfg.Policies {
		w.states[i].Policy = p.Name
	}
	return w
}

// manage creates the managed alarms of a policy, of which states[i] is.
func (w *watch) manage(put model.ScalingPolicy, i int, timing scaling.Timing) error {
	for _, kind := range policy.Kinds(put) {
		al := policy.Alarm(put, kind, timing, "")
		k, err := newKept(al)
		if err != nil {
			return err
		}
		k.owner, k.kind = i, kind
		w.alarms = append(w.alarms, k)
	}
	return nil
}

// hang adds an alarm of step policies.
func (w *watch) hang(al model.Alarm, policies []scaling.Policy) error {
	if al.EvaluationPeriods < 1 || al.Period <= 0 || al.Period%alarm.ShortTurn != 0 {
		return errors.New("period and evaluation periods must be above 0, the period a multiple of 10 seconds")
	}
	k, err := newKept(al)
	if err != nil {
		return err
	}
	for _, p := range policies {
		if p.Type == scaling.StepScaling && AsksFor(al, p.Name) {
			k.steps = append(k.steps, p.Name)
		}
	}
	if len(k.steps) == 0 {
		return errors.New("none of its actions is a step policy of the service")
	}
	w.alarms = append(w.alarms, k)
	return nil
}

// AsksFor reports whether one of an alarm's actions is a policy.
func AsksFor(al model.Alarm, name string) bool {
	return named(slices.Concat(al.AlarmActions, al.OKActions, al.InsufficientActions), name)
}

// named reports whether one of the actions is a policy: its name, or an ARN that
// ends with policyName/ and its name.
func named(actions []string, name string) bool {
	return slices.ContainsFunc(actions, func(action string) bool {
		return action == name || strings.HasSuffix(action, "policyName/"+name)
	})
}

func (w *watch) timesResponses() bool {
	return slices.ContainsFunc(w.alarms, func(k kept) bool { return k.of.timesResponses() })
}

// ringing returns the alarms whose state asks for a step policy.
func (w *watch) ringing() []scaling.Ringing {
	var out []scaling.Ringing
	for i := range w.alarms {
		k := &w.alarms[i]
		if !k.ActionsEnabled {
			continue
		}
		for _, name := range k.steps {
			if named(k.Actions(), name) {
				out = append(out, scaling.Ringing{Policy: name, Alarm: k.Name, State: k.State, Threshold: k.Threshold, Values: k.recent})
			}
		}
	}
	return out
}

// second takes the datapoints of a second, and evaluates the alarms whose turn
// it is.
func (w *watch) second(s model.ServiceSecond, busy gauge, waited []float64) {
	for i := range w.alarms {
		k := &w.alarms[i]
		k.of.second(s, busy, waited)
		if turn := s.At.Truncate(alarm.Turn(k.Alarm)); turn.After(k.taken) {
			k.taken = turn
			w.evaluate(k, s.At)
		}
	}
}

func (w *watch) evaluate(k *kept, now time.Time) {
	d := alarm.Evaluate(k.Alarm, k.points(now), now)
	if d.Kept {
		return
	}
	k.State, k.recent = d.State, d.Recent
	switch k.kind {
	case policy.High:
		w.states[k.owner].High = k.State == alarm.Alarm
	case policy.Low:
		w.states[k.owner].Low = k.State == alarm.Alarm
	}
}

// points returns what the alarm looks at, oldest first.
func (k *kept) points(now time.Time) []alarm.Point {
	w := alarm.Window(k.Alarm, now)
	points := alarm.Points(w)
	if len(k.Queries) > 0 {
		alarm.Fill(points, w, k.of.points(w))
		return points
	}
	for i := range points {
		p := &points[i]
		g := k.of.data[0].between(p.At, p.At.Add(k.Period))
		p.Samples = g.n
		p.Value, p.Missing = k.of.meters[0].value(g)
	}
	return points
}
