package task_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"neargate/internal/decide/task"
	"neargate/internal/model"
)

// world carries out the orders of one task: its answers come in any order, and
// fail as chance wants until it is told to be kind.
type world struct {
	t     *rapid.T
	s     task.State
	now   time.Time
	again time.Time
	kind  bool

	pending []func() task.Event // answers and events on their way
	asked   map[string]bool     // orders that await their answer
	members map[string]bool     // target groups that have the task's targets
	gone    map[string]bool     // target groups that are gone
	runs    bool                // the engine runs the task
	exit    *int                // what the engine said or will say about the end
	ending  bool                // what it will say is on its way
	disk    *model.Task
	over    bool // forgotten
}

func (w *world) fails(what string) bool { return !w.kind && rapid.Bool().Draw(w.t, what) }

// take has the task take an event, and carries out what it orders.
func (w *world) take(e task.Event) {
	if w.over {
		return
	}
	before := w.s
	next, orders := task.Next(w.s, e, w.now)
	if again, _ := task.Next(before, e, w.now); again.Changes != next.Changes {
		w.t.Fatalf("the same state and event led to %d and %d changes", next.Changes, again.Changes)
	}
	w.s, w.again = next, orders.Again
	w.explained()
	for _, o := range orders.Now {
		w.carryOut(o)
	}
	if w.s.Durable() {
		for _, o := range orders.Then {
			w.carryOut(o)
		}
	}
}

// explained checks that whoever asks why and when the task ends has an answer.
func (w *world) explained() {
	r := w.s.Record
	if w.s.StopOrdered() && (r.StopCode == "" || r.StopReason == "" || r.StoppingAt.Before(r.CreatedAt) || r.StoppingAt.After(w.now)) {
		w.t.Fatalf("at %s it stops without a reason, or at a time that is not true: %+v", w.now, r)
	}
	if w.s.Ended() && (r.StoppedAt.Before(r.StoppingAt) || r.ExecutionStoppedAt.After(r.StoppedAt) || !w.s.StopOrdered()) {
		w.t.Fatalf("it has stopped before it began to: %+v", r)
	}
}

func (w *world) carryOut(o task.Order) {
	name := o.Kind.String() + " " + o.Group
	if w.asked[name] {
		w.t.Fatalf("%s is ordered again before it was answered", name)
	}
	answer := func(e func() task.Event) {
		w.asked[name] = true
		w.pending = append(w.pending, func() task.Event { delete(w.asked, name); return e() })
	}
	switch o.Kind {
	case task.Start:
		answer(w.start)
	case task.CancelStart:
		if !w.asked["start "] {
			w.t.Fatal("a start is cancelled that is not under way")
		}
	case task.Stop:
		answer(w.stop)
	case task.Register, task.Deregister:
		answer(func() task.Event { return w.move(o) })
	case task.Write:
		record, changes := w.s.Record, w.s.Changes
		answer(func() task.Event {
			if w.fails("write fails") {
				return task.WriteFailed{Changes: changes}
			}
			w.disk = &record
			return task.Written{Changes: changes}
		})
	case task.Forget:
		w.forget()
	}
}

func (w *world) start() task.Event {
	if w.fails("start fails") || w.s.Cancelled && w.fails("start is cancelled") {
		reason := rapid.SampledFrom([]string{"CannotPullContainerError: no", ""}).Draw(w.t, "reason")
		return task.NotStarted{Reason: reason, Run: model.RunState{StoppingAt: w.since()}}
	}
	w.runs = true
	if w.fails("ends at once") {
		w.end(1)
	}
	return task.Started{Run: w.run()}
}

// since is a moment at which something may have begun that is heard of now.
func (w *world) since() time.Time {
	return w.now.Add(-time.Duration(rapid.Int64Range(0, int64(w.now.Sub(start))).Draw(w.t, "since")))
}

func (w *world) run() model.RunState {
	c := model.ContainerState{Name: "app", Running: w.runs}
	s := model.RunState{Running: w.runs, IP: "10.0.0.1", StartedAt: w.now}
	if !w.runs {
		c.ExitCode, s.StoppingAt, s.StoppedAt = w.exit, w.since(), w.now
	}
	s.Containers = []model.ContainerState{c}
	return s
}

// end ends the task in the engine, which says so some time.
func (w *world) end(code int) {
	if !w.runs {
		return
	}
	w.runs, w.exit, w.ending = false, &code, true
	run := w.run()
	w.pending = append(w.pending, func() task.Event { w.ending = false; return task.Ended{Run: run} })
}

func (w *world) stop() task.Event {
	if w.fails("stop fails") {
		return task.StopFailed{}
	}
	w.end(143)
	return task.StopDone{}
}

// move registers or deregisters. An error may hide that it was done.
func (w *world) move(o task.Order) task.Event {
	if w.gone[o.Group] {
		return task.Refused{Group: o.Group, Gone: true}
	}
	refused := w.fails("refused")
	if !refused || rapid.Bool().Draw(w.t, "done all the same") {
		w.members[o.Group] = o.Kind == task.Register
	}
	switch {
	case refused:
		return task.Refused{Group: o.Group}
	case o.Kind == task.Register:
		return task.Registered{Group: o.Group}
	}
	w.pending = append(w.pending, func() task.Event { return task.Drained{Group: o.Group} })
	return task.Deregistered{Group: o.Group}
}

// forget checks what must hold when the task is forgotten.
func (w *world) forget() {
	w.over = true
	switch {
	case w.runs:
		w.t.Fatal("forgotten while the engine runs it")
	case w.disk == nil || w.disk.LastStatus != model.TaskStopped:
		w.t.Fatalf("forgotten while the record on disk is %+v", w.disk)
	case w.exit != nil && w.disk.Containers[0].ExitCode == nil:
		w.t.Fatal("the exit code is lost")
	}
	for group, there := range w.members {
		if there && !w.gone[group] {
			w.t.Fatalf("forgotten while its target is in %s", group)
		}
	}
	for name := range w.asked {
		if name != "stop " {
			w.t.Fatalf("forgotten while %s awaits its answer", name)
		}
	}
}

// deliver has one of the pending events happen.
func (w *world) deliver(i int) {
	e := w.pending[i]
	w.pending = slices.Delete(w.pending, i, i+1)
	w.take(e())
}

func (w *world) chance() {
	switch rapid.IntRange(0, 9).Draw(w.t, "event") {
	case 0:
		w.end(137)
	case 1:
		if !w.ending { // an engine's word is there when it has stopped the task
			w.now = w.now.Add(time.Duration(rapid.IntRange(1, 20_000).Draw(w.t, "ms")) * time.Millisecond)
			w.take(task.Tick{})
		}
	case 2:
		w.take(task.BecameHealthy{})
	case 3:
		w.take(task.BecameUnhealthy{})
	case 4:
		if w.s.CanResume() {
			w.take(task.Resumed{})
		}
	case 5:
		w.gone[rapid.SampledFrom([]string{"a", "b"}).Draw(w.t, "gone")] = true
	case 6:
		w.take(task.StopOrdered{Code: "ServiceSchedulerInitiated", Reason: "too many", Surplus: rapid.Bool().Draw(w.t, "surplus"), Hurry: rapid.Bool().Draw(w.t, "hurry")})
	default:
		if len(w.pending) > 0 {
			w.deliver(rapid.IntRange(0, len(w.pending)-1).Draw(w.t, "which"))
		}
	}
}

// finish lets all go well: everything is answered, and time passes when nothing
// else is to come.
func (w *world) finish() {
	w.kind = true
	for range 200 {
		switch {
		case w.over:
			return
		case len(w.pending) > 0:
			w.deliver(rapid.IntRange(0, len(w.pending)-1).Draw(w.t, "which"))
		case w.again.IsZero():
			return
		default:
			w.now = w.again
			w.take(task.Tick{})
		}
	}
}

// lived returns the world of a task of up to two target groups after up to 40
// events.
func lived(t *rapid.T) *world {
	groups := []string{"a", "b"}[:rapid.IntRange(0, 2).Draw(t, "groups")]
	w := &world{t: t, s: task.New(record(groups), model.TaskDefinition{}), now: start, asked: map[string]bool{}, members: map[string]bool{}, gone: map[string]bool{}}
	w.take(task.Tick{})
	for range rapid.IntRange(0, 40).Draw(t, "events") {
		w.chance()
	}
	return w
}

// Whatever fails on the way and in whatever order the answers come: an order to
// stop ends the task, every target it registered is deregistered, its exit code
// gets on disk, and it is not forgotten before that.
func TestATaskThatIsStoppedEndsAndLeavesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := lived(t)
		w.take(task.StopOrdered{Code: "UserInitiated", Reason: "bye"})
		w.finish()
		if !w.over {
			t.Fatalf("not over: %+v, pending %d, asked %v", w.s, len(w.pending), w.asked)
		}
	})
}

// A server that dies at any moment leaves its successor enough: the task ends
// when it is told to, and no target stays.
func TestATaskOutlivesItsServer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := lived(t)
		if w.over || w.disk == nil {
			return
		}
		var run *model.RunState
		if w.runs || w.exit != nil {
			r := w.run()
			run = &r
		}
		standing := map[string]task.Standing{}
		for group, there := range w.members {
			if there && !w.gone[group] {
				standing[group] = task.In
			}
		}
		w.pending, w.asked = nil, map[string]bool{}
		w.s = task.Recover(*w.disk, model.TaskDefinition{}, run, standing, w.now)
		w.take(task.Tick{})
		w.take(task.StopOrdered{Code: "UserInitiated", Reason: "bye"})
		w.finish()
		if !w.over {
			t.Fatalf("not over: %+v", w.s)
		}
	})
}

// Next leaves the state that it is given as it was.
func TestNextDoesNotChangeItsArgument(t *testing.T) {
	s := task.New(record([]string{"a"}), model.TaskDefinition{})
	for _, e := range []task.Event{task.Tick{}, task.Started{Run: running()}, task.Registered{Group: "a"}, task.Ended{Run: ended(1)}} {
		groups, containers, changes := s.Groups["a"], s.Record.Containers[0], s.Changes
		next, _ := task.Next(s, e, start)
		if s.Groups["a"] != groups || s.Record.Containers[0] != containers || s.Changes != changes {
			t.Errorf("%T changed the state before it", e)
		}
		s = next
	}
}
