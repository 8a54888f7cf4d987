package alarms

import (
	"encoding/json"
	"slices"

	"neargate/internal/decide/alarm"
	"neargate/internal/model"
)

// AlarmsFor returns the alarms that have an action in some state, by name. They
// are shared: the caller must not write into them.
func (a *Alarms) AlarmsFor(action string) []model.Alarm {
	a.mu.Lock()
	names := slices.Clone(a.byAction[action])
	a.mu.Unlock()
	var out []model.Alarm
	for _, name := range names {
		if al, ok := a.table.Get(name); ok {
			out = append(out, al)
		}
	}
	return out
}

// Recent returns the datapoints that an alarm's state rests on, oldest first:
// those of its last evaluation, or what its StateReasonData tells.
func (a *Alarms) Recent(name string) []float64 {
	a.mu.Lock()
	recent, ok := a.recent[name]
	a.mu.Unlock()
	if ok {
		return recent
	}
	al, ok := a.table.Get(name)
	if !ok {
		return nil
	}
	var said struct{ RecentDatapoints []float64 }
	if json.Unmarshal([]byte(al.StateReasonData), &said) != nil {
		return nil // a user's own words
	}
	return said.RecentDatapoints
}

// look notes what an evaluation saw.
func (a *Alarms) look(name string, d alarm.Decision) {
	if d.Kept {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.recent[name] = d.Recent
}

// index notes the actions that an alarm has now.
func (a *Alarms) index(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, action := range a.actions[name] {
		a.byAction[action] = slices.DeleteFunc(a.byAction[action], func(n string) bool { return n == name })
		if len(a.byAction[action]) == 0 {
			delete(a.byAction, action)
		}
	}
	delete(a.actions, name)
	al, ok := a.table.Get(name)
	if !ok {
		return
	}
	has := slices.Concat(al.OKActions, al.AlarmActions, al.InsufficientActions)
	slices.Sort(has)
	has = slices.Compact(has)
	for _, action := range has {
		at, _ := slices.BinarySearch(a.byAction[action], name)
		a.byAction[action] = slices.Insert(a.byAction[action], at, name)
	}
	if len(has) > 0 {
		a.actions[name] = has
	}
}
