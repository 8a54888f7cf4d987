package alarms

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"neargate/internal/decide/alarm"
	"neargate/internal/decide/expression"
	"neargate/internal/metric"
	"neargate/internal/model"
)

const (
	// settled is how long after a full second its datapoints are complete.
	settled = 500 * time.Millisecond
	// writers is how many changes of state are written at once; they share
	// commits.
	writers = 32
)

// Run evaluates alarms until ctx ends; it returns nil then.
func (a *Alarms) Run(ctx context.Context) error {
	timer := time.NewTimer(untilSettled(time.Now()))
	defer timer.Stop()
	var long, short, pruned time.Time // the turns that were taken last
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		now := time.Now().Add(-settled)
		longDue, shortDue := now.Truncate(alarm.LongTurn).After(long), now.Truncate(alarm.ShortTurn).After(short)
		long, short = now.Truncate(alarm.LongTurn), now.Truncate(alarm.ShortTurn)
		a.evaluate(ctx, a.pick(now, longDue, shortDue), now)
		if now.Sub(pruned) >= time.Hour {
			pruned = now
			if err := a.pruneHistory(ctx, now); err != nil && ctx.Err() == nil {
				a.log.Error("alarm history not pruned", "error", err)
			}
		}
		timer.Reset(untilSettled(time.Now()))
	}
}

func untilSettled(now time.Time) time.Duration {
	return now.Add(-settled).Truncate(time.Second).Add(time.Second + settled).Sub(now)
}

// pick returns the alarms whose turn it is, and those that are due out of turn.
func (a *Alarms) pick(now time.Time, long, short bool) []model.Alarm {
	a.mu.Lock()
	due := map[string]bool{}
	for name, at := range a.due {
		if !at.After(now) {
			due[name] = true
			delete(a.due, name)
		}
	}
	a.mu.Unlock()
	var out []model.Alarm
	if long || short {
		for _, al := range a.table.List("") {
			turn := alarm.Turn(al)
			if due[al.Name] || turn == alarm.LongTurn && long || turn == alarm.ShortTurn && short {
				out = append(out, al)
			}
		}
		return out
	}
	for name := range due {
		if al, ok := a.table.Get(name); ok {
			out = append(out, al)
		}
	}
	return out
}

// evaluate decides alarms one by one and carries out what changes.
func (a *Alarms) evaluate(ctx context.Context, alarms []model.Alarm, now time.Time) {
	var g errgroup.Group
	g.SetLimit(writers)
	for _, al := range alarms {
		if ctx.Err() != nil {
			break
		}
		d, err := a.decide(al, now)
		if err != nil {
			a.log.Error("alarm not evaluated", "alarm", al.Name, "error", err)
			continue
		}
		a.look(al.Name, d)
		if d.Kept || d.State == al.State {
			continue
		}
		g.Go(func() error {
			moved, err := a.transit(ctx, al.Name, func(cur model.Alarm) (string, string, string, bool) {
				fresh := cur.ConfigUpdatedAt.Equal(al.ConfigUpdatedAt) && cur.StateUpdatedAt.Equal(al.StateUpdatedAt)
				return d.State, d.Reason, d.ReasonData, fresh
			})
			if err != nil && model.KindOf(err) != model.NotFound && ctx.Err() == nil {
				a.log.Error("alarm state not kept", "alarm", al.Name, "error", err)
			}
			if moved {
				a.log.Info("alarm changed state", "alarm", al.Name, "from", al.State, "to", d.State, "reason", d.Reason)
			}
			return nil
		})
	}
	_ = g.Wait() // its functions return nil
}

// decide reads an alarm's evaluation range and decides. A panic is an error of
// this alarm only, as it would come again with every evaluation.
func (a *Alarms) decide(al model.Alarm, now time.Time) (d alarm.Decision, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	w := alarm.Window(al, now)
	points := alarm.Points(w)
	read := a.readMetric
	if len(al.Queries) > 0 {
		read = a.readMath
	}
	if err := read(al, points, w); err != nil {
		return alarm.Decision{}, err
	}
	return alarm.Evaluate(al, points, now), nil
}

// readMetric fills the points of a window with the alarm's metric.
func (a *Alarms) readMetric(al model.Alarm, points []alarm.Point, w expression.Window) error {
	stat, err := metric.ParseStatistic(al.Statistic)
	if err != nil {
		return err
	}
	data, err := a.data.Query(metric.Query{ID: al.Metric, Unit: al.Unit, Start: w.Start, End: w.End, Period: w.Period, Percentiles: stat.Percentile()})
	if err != nil {
		return err
	}
	for _, d := range data {
		if v, ok := d.Value(stat); ok {
			p := &points[d.At.Sub(w.Start)/w.Period]
			p.Missing, p.Value, p.Samples = false, v, d.Samples()
		}
	}
	return nil
}

// readMath fills the points of a window with what the alarm's queries return.
func (a *Alarms) readMath(al model.Alarm, points []alarm.Point, w expression.Window) error {
	data, err := expression.Points(al.Queries, w, func(q model.MetricQuery) (expression.Series, error) {
		return metric.ReadSeries(a.data, q, w.Start, w.End)
	})
	if err != nil {
		return err
	}
	alarm.Fill(points, w, data)
	return nil
}

var errNotMoved = errors.New("alarm was changed meanwhile")

// transit moves an alarm into the state that next returns and writes history. next sees the alarm as it is; when its last result is false
// nothing happens. A state that is entered anew (by SetAlarmState) changes no
// more than its reason.
func (a *Alarms) transit(ctx context.Context, name string, next func(model.Alarm) (state, reason, data string, ok bool)) (moved bool, err error) {
	now := a.now()
	var old model.Alarm
	al, err := a.table.Update(ctx, name, func(cur model.Alarm, exists bool) (model.Alarm, error) {
		if !exists {
			return cur, notFound(name)
		}
		old = cur
		state, reason, data, ok := next(cur)
		if !ok {
			return cur, errNotMoved
		}
		if state != cur.State {
			cur.StateTransitioned = now
		}
		cur.State, cur.StateReason, cur.StateReasonData, cur.StateUpdatedAt = state, reason, data, now
		return cur, nil
	})
	if errors.Is(err, errNotMoved) {
		return false, nil
	}
	if err != nil || al.State == old.State {
		return false, err
	}
	items := []HistoryItem{stateItem(old, al, now)}
	for _, action := range actionsOf(al) {
		items = append(items, actionItem(al, action, a.cfg.Accepts(action)))
	}
	return true, a.record(ctx, items...)
}

// actionsOf returns the actions of an alarm's state, none when disabled.
func actionsOf(al model.Alarm) []string {
	if !al.ActionsEnabled {
		return nil
	}
	return al.Actions()
}
