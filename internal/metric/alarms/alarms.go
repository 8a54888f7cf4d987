// Package alarms keeps metric alarms and their history, and evaluates them
// against the metric store.
//
// Alarms with periods of a minute and more are evaluated at each full minute
// over a sliding window, those with shorter periods every ten seconds, a
// moment after the data are complete. What state the data mean is decided by
// decide/alarm. Who carries actions out reads the alarms' states (AlarmsFor);
// here is only recorded whether anybody does.
//
// An Alarms is safe for concurrent use.
package alarms

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"neargate/internal/metric"
	"neargate/internal/model"
	"neargate/internal/store"
)

// datapoints is where alarms read their metrics: a *metric.Store.
type datapoints interface {
	Query(metric.Query) ([]metric.Datapoint, error)
}

// Config is what Alarms may be told.
type Config struct {
	Place model.Place
	// Accepts reports that somebody carries an action out: nil, or why not, in
	// words for the alarm's history. Required.
	Accepts func(action string) error
}

// Alarms keeps metric alarms. Make it with New and let Run evaluate.
type Alarms struct {
	data    datapoints
	cfg     Config
	log     *slog.Logger
	now     func() time.Time
	table   *store.Table[model.Alarm]
	history *store.Table[HistoryItem]

	// Guarded by mu.
	mu       sync.Mutex
	due      map[string]time.Time // alarms to be evaluated out of turn
	recent   map[string][]float64 // the datapoints that an alarm's last evaluation rests on
	actions  map[string][]string  // of each alarm, in any state
	byAction map[string][]string  // the alarms of each action, by name
	seq      uint64               // of history items
}

// New opens the tables of alarms in db.
func New(db *store.DB, data datapoints, cfg Config, log *slog.Logger) (*Alarms, error) {
	table, err := store.NewTable[model.Alarm](db, "alarms")
	if err != nil {
		return nil, err
	}
	history, err := store.NewTable[HistoryItem](db, "alarm-history")
	if err != nil {
		return nil, err
	}
	a := &Alarms{
		data: data, cfg: cfg, log: log, now: time.Now, table: table, history: history,
		due: map[string]time.Time{}, recent: map[string][]float64{},
		actions: map[string][]string{}, byAction: map[string][]string{},
	}
	for _, al := range table.List("") {
		a.index(al.Name)
	}
	return a, nil
}

// PutAlarm creates the alarm, or replaces all of it but its state and tags. Of
// al, the ARN, the state and the times are not read. The alarm must be valid.
func (a *Alarms) PutAlarm(ctx context.Context, al model.Alarm) error {
	now := a.now()
	created := false
	al.Metric.Dimensions = slices.SortedFunc(slices.Values(al.Metric.Dimensions), func(x, y model.Dimension) int {
		return strings.Compare(x.Name, y.Name)
	})
	al, err := a.table.Update(ctx, al.Name, func(cur model.Alarm, exists bool) (model.Alarm, error) {
		next := al
		next.ARN = a.cfg.Place.AlarmARN(al.Name)
		next.ConfigUpdatedAt = now
		created = !exists
		if exists {
			next.Tags = cur.Tags
			next.State, next.StateReason, next.StateReasonData = cur.State, cur.StateReason, cur.StateReasonData
			next.StateUpdatedAt, next.StateTransitioned = cur.StateUpdatedAt, cur.StateTransitioned
			return next, nil
		}
		next.State, next.StateReason, next.StateReasonData = "INSUFFICIENT_DATA", "Unchecked: Initial alarm creation", ""
		next.StateUpdatedAt, next.StateTransitioned = now, now
		return next, nil
	})
	if err != nil {
		return fmt.Errorf("put alarm %s: %w", al.Name, err)
	}
	a.index(al.Name)
	a.evaluateAt(al.Name, now)
	if created {
		return a.record(ctx, configItem(al, "Create", now))
	}
	return a.record(ctx, configItem(al, "Update", now))
}

// DeleteAlarms removes the alarms that are there; when one is not, the error,
// after the others are gone, is of kind NotFound.
func (a *Alarms) DeleteAlarms(ctx context.Context, names []string) error {
	var missing []string
	for _, name := range names {
		al, _ := a.table.Get(name)
		ok, err := a.table.Delete(ctx, name)
		if err != nil {
			return fmt.Errorf("delete alarm %s: %w", name, err)
		}
		if !ok {
			missing = append(missing, name)
			continue
		}
		a.forget(name)
		a.index(name)
		if err := a.record(ctx, configItem(al, "Delete", a.now())); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		return model.Errorf(model.NotFound, "ResourceNotFound", "Alarms not found: %s", strings.Join(missing, ", "))
	}
	return nil
}

// Filter picks alarms. Zero fields pick all.
type Filter struct {
	Names        []string
	NamePrefix   string
	State        string
	ActionPrefix string // of one of its actions
}

// Alarms returns the alarms that f picks, by name. They are shared: the caller
// must not write into them.
func (a *Alarms) Alarms(f Filter) []model.Alarm {
	return slices.DeleteFunc(a.table.List(f.NamePrefix), func(al model.Alarm) bool {
		switch {
		case len(f.Names) > 0 && !slices.Contains(f.Names, al.Name):
			return true
		case f.State != "" && f.State != al.State:
			return true
		case f.ActionPrefix != "":
			actions := slices.Concat(al.OKActions, al.AlarmActions, al.InsufficientActions)
			return !slices.ContainsFunc(actions, func(s string) bool { return strings.HasPrefix(s, f.ActionPrefix) })
		}
		return false
	})
}

// Alarm returns one alarm; ok is false when there is none of that name.
func (a *Alarms) Alarm(name string) (al model.Alarm, ok bool) { return a.table.Get(name) }

// SetAlarmState puts an alarm into a state and runs that state's actions. It
// lasts until the next evaluation, which follows within seconds.
func (a *Alarms) SetAlarmState(ctx context.Context, name, state, reason, reasonData string) error {
	if _, ok := a.table.Get(name); !ok {
		return notFound(name)
	}
	a.mu.Lock()
	delete(a.recent, name) // what counts now is in reasonData
	a.mu.Unlock()
	_, err := a.transit(ctx, name, func(model.Alarm) (string, string, string, bool) {
		return state, reason, reasonData, true
	})
	a.evaluateAt(name, a.now().Add(stateLasts))
	return err
}

// stateLasts is for how long a state set by hand stays at the least: long
// enough to be read back, short enough to be "within seconds".
const stateLasts = 10 * time.Second

// EnableActions switches the actions of the alarms that are there on or off.
func (a *Alarms) EnableActions(ctx context.Context, names []string, enabled bool) error {
	for _, name := range names {
		if _, ok := a.table.Get(name); !ok {
			continue
		}
		if err := a.change(ctx, name, func(al *model.Alarm) {
			al.ActionsEnabled = enabled
			al.ConfigUpdatedAt = a.now()
		}); err != nil {
			return err
		}
	}
	return nil
}

// SetTags replaces an alarm's tags by what change makes of them; change gets a
// copy.
func (a *Alarms) SetTags(ctx context.Context, name string, change func([]model.Tag) []model.Tag) error {
	return a.change(ctx, name, func(al *model.Alarm) { al.Tags = change(slices.Clone(al.Tags)) })
}

func (a *Alarms) change(ctx context.Context, name string, change func(*model.Alarm)) error {
	_, err := a.table.Update(ctx, name, func(cur model.Alarm, exists bool) (model.Alarm, error) {
		if !exists {
			return cur, notFound(name)
		}
		change(&cur)
		return cur, nil
	})
	return err
}

func notFound(name string) error {
	return model.Errorf(model.NotFound, "ResourceNotFound", "Alarm %s does not exist", name)
}

func (a *Alarms) evaluateAt(name string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.due[name] = at
}

func (a *Alarms) forget(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.due, name)
	delete(a.recent, name)
}
