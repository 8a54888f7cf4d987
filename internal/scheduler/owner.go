package scheduler

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"neargate/internal/decide/task"
	"neargate/internal/model"
	"neargate/internal/runtime"
)

// owner runs the tasks of one service, or those of no service. All its fields
// belong to its goroutine, run, but for the mailbox and the view. It carries
// out what packages task and rollout decide; calls that take time run in
// workers, which answer by messages.
type owner struct {
	s   *Scheduler
	key string // CLUSTER/SERVICE, or ""
	box mailbox[message]

	view  atomic.Pointer[view]
	first chan struct{} // closed when what was taken over is on disk
	empty chan struct{} // closed when the ends of all its tasks are on disk, or it ends itself; for StopAll

	// Owned by run:
	entries   map[string]*entry
	journal   journal
	marks     []mark
	counts    map[string]*tally      // by target group
	drains    map[string]int         // tasks that began to drain, by deployment
	resolving map[string]*resolution // by deployment
	wakeAt    time.Time
	groups    map[string]groupState // read in this turn
	shifting  bool                  // a worker writes listener rules
	shiftAt   time.Time             // not before, after a failure

	unwritten map[string]bool // tasks whose record is to be written
	writing   bool
	writeAt   time.Time      // not before, after a failure
	writes    sync.WaitGroup // the write under way
}

func newOwner(s *Scheduler, key string) *owner {
	o := &owner{
		s: s, key: key, box: newMailbox[message](), first: make(chan struct{}), empty: make(chan struct{}), entries: map[string]*entry{},
		counts: map[string]*tally{}, drains: map[string]int{}, resolving: map[string]*resolution{}, unwritten: map[string]bool{},
	}
	_, service := o.name()
	o.journal = newJournal(service)
	return o
}

// post sends a message. It does not block.
func (o *owner) post(m message) { o.box.put(m) }

// later has the owner look at everything at the latest at t.
func (o *owner) later(t time.Time) {
	if !t.IsZero() && (o.wakeAt.IsZero() || t.Before(o.wakeAt)) {
		o.wakeAt = t
	}
}

// name is the owner's service by cluster and name; "" and "" for tasks of none.
func (o *owner) name() (cluster, service string) {
	cluster, service, _ = strings.Cut(o.key, "/")
	return cluster, service
}

// record returns the service's record.
func (o *owner) record() (model.Service, bool) {
	cluster, service := o.name()
	return o.s.records.Service(cluster, service)
}

func (o *owner) run(ctx context.Context) {
	defer o.close(ctx)
	o.journal.remember(o.s.records.Events(o.name()))
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		for _, m := range o.box.take() {
			_ = o.guard("message", func() { o.receive(ctx, m, time.Now()) }) // in the log
		}
		if o.guard("turn", func() { o.turn(ctx, time.Now()) }) != nil {
			o.wakeAt = time.Now().Add(panicPause)
		}
		if o.retired() {
			return
		}
		timer.Stop()
		if !o.wakeAt.IsZero() {
			timer.Reset(max(0, time.Until(o.wakeAt)))
		}
		select {
		case <-ctx.Done():
		case <-o.box.wake:
		case <-timer.C:
		}
	}
}

// receive takes one message.
func (o *owner) receive(ctx context.Context, m message, now time.Time) {
	switch m := m.(type) {
	case wake:
	case adopted:
		for _, record := range m.records {
			o.adopt(ctx, record, now)
		}
	case stopWanted:
		o.stopWanted(ctx, m, now)
	case told:
		o.told(ctx, m.event, now)
	case answered:
		if e, ok := o.entries[m.id]; ok {
			o.next(ctx, e, m.event, now)
		}
	case recorded:
		o.recorded(ctx, m, now)
	case shifted:
		o.wrote(m, now)
	case resolved:
		delete(o.resolving, m.deployment)
	}
}

// told passes what the engine tells on to the task.
func (o *owner) told(ctx context.Context, event runtime.Event, now time.Time) {
	e, ok := o.entries[event.State.ID]
	switch {
	case !ok:
	case event.Kind == runtime.TaskEnded:
		o.next(ctx, e, task.Ended{Run: event.State}, now)
	default:
		o.next(ctx, e, task.ContainersChanged{Run: event.State}, now)
	}
}

// stopWanted orders a task to stop, and answers when the order is on disk.
func (o *owner) stopWanted(ctx context.Context, m stopWanted, now time.Time) {
	e, ok := o.entries[m.id]
	if !ok {
		cluster, _ := o.name()
		record, _ := o.s.records.Task(cluster, m.id)
		m.answer <- stopAnswer{record: record}
		return
	}
	o.next(ctx, e, task.StopOrdered{Code: "UserInitiated", Reason: m.reason}, now)
	e.waiting = append(e.waiting, waiter{m.answer, e.Record})
	if e.Durable() {
		e.answer(nil)
	}
}

// adopt makes the owner responsible for a new task, which begins to start.
func (o *owner) adopt(ctx context.Context, record model.Task, now time.Time) {
	def, _ := o.s.records.TaskDefinition(record.TaskDefinitionARN)
	e := &entry{State: task.New(record, def), occupies: true}
	o.entries[record.ID] = e
	o.next(ctx, e, task.Tick{}, now)
}

// turn looks at everything: what is due by time, what the target groups have,
// what the service is to be. Then it writes.
func (o *owner) turn(ctx context.Context, now time.Time) {
	o.groups, o.wakeAt = map[string]groupState{}, time.Time{}
	for _, e := range o.ordered() {
		if !e.again.IsZero() && !now.Before(e.again) {
			o.next(ctx, e, task.Tick{}, now)
		}
		o.watchDrain(ctx, e, now)
	}
	o.sayTargets(now)
	svc, isService := o.record()
	switch {
	case o.s.ending.Load():
		o.vacate(ctx, now)
	case isService:
		o.plan(ctx, svc, now)
	default:
		o.marks = nil
	}
	for _, e := range o.entries {
		o.later(e.again)
	}
	o.publish(svc)
	o.flush(ctx, now)
	if o.s.ending.Load() && len(o.entries) == 0 && !o.writing && len(o.journal.news) == 0 {
		o.vacated()
	}
}

// ordered returns the owner's tasks, oldest first.
func (o *owner) ordered() []*entry {
	all := make([]*entry, 0, len(o.entries))
	for _, e := range o.entries {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *entry) int {
		return cmp.Or(a.Record.CreatedAt.Compare(b.Record.CreatedAt), cmp.Compare(a.Record.ID, b.Record.ID))
	})
	return all
}

// retired ends the owner of a service that is gone, unless it has been made
// anew meanwhile.
func (o *owner) retired() bool {
	if o.key == "" || len(o.entries) > 0 || o.writing || len(o.journal.news) > 0 {
		return false
	}
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	svc, ok := o.record()
	if ok && svc.Status != model.Inactive || !o.box.empty() {
		return false
	}
	delete(o.s.owners, o.key)
	return true
}

// settled notes that what was taken over at the start is on disk, or cannot be.
func (o *owner) settled() {
	select {
	case <-o.first:
	default:
		close(o.first)
	}
}
