package scheduler

import (
	"context"
	"time"

	"neargate/internal/decide/task"
	"neargate/internal/model"
)

// flush begins to write the tasks that have changed and the events, all in one
// transaction, unless a write is under way: what changes meanwhile goes with
// the next.
func (o *owner) flush(ctx context.Context, now time.Time) {
	switch {
	case o.writing:
		return
	case len(o.unwritten)+len(o.journal.news) == 0:
		o.settled()
		return
	case now.Before(o.writeAt):
		o.later(o.writeAt)
		return
	}
	records, changes := o.unsaved()
	events := o.journal.news
	o.writing = true
	o.writes.Add(1)
	o.s.work.Go(func() {
		defer o.writes.Done()
		err := o.save(ctx, records, events)
		o.post(recorded{changes, len(events), err})
	})
}

// unsaved returns the records to be written, and how far they have changed.
func (o *owner) unsaved() ([]model.Task, map[string]int) {
	var records []model.Task
	changes := map[string]int{}
	for id := range o.unwritten {
		if e, ok := o.entries[id]; ok {
			records = append(records, e.Record)
			changes[id] = e.Changes
		}
	}
	clear(o.unwritten)
	return records, changes
}

func (o *owner) save(ctx context.Context, records []model.Task, events []model.ServiceEvent) error {
	cluster, service := o.name()
	err := o.s.records.Record(context.WithoutCancel(ctx), cluster, service, records, events)
	if err != nil {
		o.s.log.Error("write tasks and events", "service", o.key, "err", err)
	}
	return err
}

// recorded takes the outcome of a write. What was not written stays.
func (o *owner) recorded(ctx context.Context, m recorded, now time.Time) {
	o.writing = false
	o.settled()
	if m.err == nil {
		o.journal.written(m.events)
	} else {
		o.journal.unwritten()
		o.writeAt = now.Add(time.Second)
	}
	for id, changes := range m.changes {
		e, ok := o.entries[id]
		if !ok {
			continue
		}
		if m.err != nil {
			e.answer(m.err)
			o.next(ctx, e, task.WriteFailed{Changes: changes}, now)
			continue
		}
		o.next(ctx, e, task.Written{Changes: changes}, now)
		if e.Durable() {
			e.answer(nil)
		}
	}
}

// close writes what is not written when the server ends.
func (o *owner) close(ctx context.Context) {
	o.settled()
	defer o.vacated()
	o.writes.Wait()
	for _, m := range o.box.take() {
		if r, ok := m.(recorded); ok && r.err == nil {
			o.journal.written(r.events)
		}
	}
	for id, e := range o.entries {
		if !e.Durable() {
			o.unwritten[id] = true
		}
	}
	if records, _ := o.unsaved(); len(records)+len(o.journal.news) > 0 {
		_ = o.save(ctx, records, o.journal.news) // logged there; the next server finds out
	}
}
