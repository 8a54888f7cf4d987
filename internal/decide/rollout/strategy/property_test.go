package strategy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

var t0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// world is a service behind two target groups, 0 and 1, whose records, tasks and
// rules do what the steps say and what chance wants.
type world struct {
	svc   model.Service
	tasks []rollout.Task
	home  map[string]int // group of each deployment that has been placed
	good  model.Deployment

	production, test int // share of group 1, in tenths of a percent
	tested, stuck    bool
	astray, testAway bool // somebody has led the rule elsewhere
	alarm            bool
	now              time.Time
	made             int
	trace            []string
}

func (w *world) log(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf(format, args...))
}

// deploy begins a deployment as the records do.
func (w *world) deploy(s model.Strategy) {
	w.made++
	d := model.Deployment{ID: fmt.Sprintf("d%03d", w.made), RolloutState: rollout.InProgress, Strategy: s}
	d.Progress.Source = Source(w.svc.Deployments)
	w.svc.Deployments = append([]model.Deployment{d}, w.svc.Deployments...)
	w.log("deploy %s from %q", d.ID, d.Progress.Source)
}

// fail ends the primary deployment as the records do.
func (w *world) fail(f Failure) {
	w.log("fail %s: %+v", w.svc.Deployments[0].ID, f)
	w.change(0, func(d *model.Deployment) { d.RolloutState, d.Progress.Ordered = rollout.Failed, "" })
	failed := w.svc.Deployments[0]
	if !f.Rollback || w.good.ID == "" || w.good.ID == failed.ID || failed.Progress.Back {
		return
	}
	back := w.good
	back.RolloutState, back.FailedTasks = rollout.InProgress, 0
	back.Progress = model.Progress{Back: true, Source: failed.ID}
	all := []model.Deployment{back}
	for _, d := range w.svc.Deployments {
		if d.ID != back.ID {
			all = append(all, d)
		}
	}
	w.svc.Deployments = all
}

func (w *world) change(i int, fn func(*model.Deployment)) {
	w.svc.Deployments = slices.Clone(w.svc.Deployments)
	fn(&w.svc.Deployments[i])
}

// group is the target group that the primary deployment has or is to have.
func (w *world) group() int {
	d := w.svc.Deployments[0]
	if at, placed := w.home[d.ID]; placed {
		return at
	}
	if at, placed := w.home[d.Progress.Source]; placed {
		return 1 - at
	}
	if w.production > 0 {
		return 0
	}
	return 1
}

func (w *world) traffic() Traffic {
	t := Traffic{Production: w.production, Test: w.test, Routed: !w.astray, Tested: w.tested && !w.testAway}
	if w.group() == 0 {
		t.Production, t.Test = Whole-t.Production, Whole-t.Test
	}
	if !t.Routed {
		t.Production, t.Problem = Unsure, "production"
	}
	if w.tested && !t.Tested {
		t.Test, t.Problem = Unsure, "test"
	}
	return t
}

// well counts the healthy tasks in a group.
func (w *world) well(group int) (n int) {
	for _, t := range w.tasks {
		if at, placed := w.home[t.Deployment]; placed && at == group && t.Phase == rollout.Running && t.Health == rollout.Healthy {
			n++
		}
	}
	return n
}

func (w *world) serves(group int) bool {
	return !w.astray && (group == 1 && w.production > 0 || group == 0 && w.production < Whole)
}

func (w *world) enough() int {
	n := w.svc.DesiredCount
	return max((n*w.svc.Rollout.MinimumHealthyPercent+99)/100, min(n, 1))
}

// inOrder sorts the tasks in the order in which to stop them: those first that
// are the least use.
func (w *world) inOrder() {
	worth := func(t rollout.Task) int {
		switch {
		case t.Phase != rollout.Running:
			return 0
		case t.Health != rollout.Healthy:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(w.tasks, func(a, b rollout.Task) int { return worth(a) - worth(b) })
}

func (w *world) step(t *rapid.T) Step {
	w.inOrder()
	in := Input{Service: w.svc, Tasks: w.tasks, Backoff: rollout.DefaultBackoff(), Traffic: w.traffic(), Now: w.now}
	if w.alarm {
		in.Alarms = []string{"errors"}
	}
	s := Next(in)
	switch {
	case s.Failure != nil:
		w.fail(*s.Failure)
		return s
	case s.Advanced:
		if s.Progress.Placed {
			w.home[w.svc.Deployments[0].ID] = w.group()
		}
		w.log("%s %s %+v", w.svc.Deployments[0].ID, s.Progress.Stage, s.Progress)
		w.change(0, func(d *model.Deployment) { d.Progress = s.Progress })
		return s
	}
	for _, side := range s.Sides {
		w.obey(t, side)
	}
	w.reroute(t, s.Shift)
	w.svc.Deployments = slices.DeleteFunc(slices.Clone(w.svc.Deployments), func(d model.Deployment) bool { return slices.Contains(s.Retire, d.ID) })
	if s.Complete {
		w.log("complete %s", w.svc.Deployments[0].ID)
		w.change(0, func(d *model.Deployment) { d.RolloutState = rollout.Completed })
		w.good = w.svc.Deployments[0]
		now := w.traffic()
		if w.svc.DesiredCount > 0 && w.svc.Deployments[0].Strategy.Shifts() && (now.Routed && now.Production != Whole || now.Tested && now.Test != Whole) {
			t.Fatalf("complete with traffic %+v", now)
		}
		if now.Problem != "" && !w.svc.Deployments[0].Progress.Back {
			t.Fatalf("complete with rules that lead elsewhere: %+v", now)
		}
	}
	return s
}

func (w *world) obey(t *rapid.T, side Side) {
	d := side.Deployment
	for _, id := range side.Return {
		task := w.find(id)
		task.Phase, task.Health, task.Proven, task.CanReturn = rollout.Running, rollout.Waiting, false, false
	}
	if side.Start > 0 {
		if d.RolloutState == rollout.Failed {
			t.Fatalf("starts tasks of %s, which has failed", d.ID)
		}
		if _, placed := w.home[d.ID]; !placed {
			t.Fatalf("starts tasks of %s, which has no target groups", d.ID)
		}
	}
	for range side.Start {
		w.made++
		w.tasks = append(w.tasks, rollout.Task{ID: fmt.Sprintf("t%04d", w.made), Deployment: d.ID})
	}
	for _, stop := range side.Stop {
		task := w.find(stop.ID)
		if task.Protected && stop.Why != rollout.Unwell {
			t.Fatalf("stops %s, which is protected (%v)", task.ID, stop.Why)
		}
		was := task.Phase == rollout.Running && task.Health == rollout.Healthy
		task.CanReturn = stop.Why == rollout.Surplus && was
		task.Phase, task.Registered = rollout.Draining, true
		at, placed := w.home[task.Deployment]
		if was && placed && w.serves(at) && w.well(at) < w.enough() {
			t.Fatalf("stops %s of %s (%v), and %d of at least %d healthy tasks serve", stop.ID, task.Deployment, stop.Why, w.well(at), w.enough())
		}
	}
}

// reroute writes the rules, unless they cannot be written.
func (w *world) reroute(t *rapid.T, s *Shift) {
	if s == nil || w.stuck {
		return
	}
	set := func(share *int, to int) {
		if w.group() == 0 && to >= 0 {
			to = Whole - to
		}
		for group, more := range map[int]bool{1: to > *share, 0: to >= 0 && to < *share} {
			if more && w.svc.DesiredCount > 0 && w.well(group) == 0 {
				t.Fatalf("traffic for group %d, which has no healthy target: %+v", group, *s)
			}
		}
		if to >= 0 {
			*share = to
		}
	}
	if !w.astray {
		set(&w.production, s.Production)
	}
	if !w.testAway {
		set(&w.test, s.Test)
	}
	w.log("traffic %d test %d", w.production, w.test)
}

func (w *world) find(id string) *rollout.Task {
	i := slices.IndexFunc(w.tasks, func(t rollout.Task) bool { return t.ID == id })
	return &w.tasks[i]
}

// progress moves one task on as an engine and a balancer would.
func (w *world) progress(i int) {
	t := &w.tasks[i]
	switch {
	case t.Phase == rollout.Starting:
		t.Phase = rollout.Running
	case t.Phase == rollout.Running && t.Health != rollout.Healthy:
		t.Health = rollout.Healthy
	case t.Phase == rollout.Running:
		t.Proven = true
	case t.Phase == rollout.Draining && t.Registered:
		t.Registered = false
	case t.Phase == rollout.Draining:
		t.Phase, t.CanReturn = rollout.Stopping, false
	default:
		w.tasks = slices.Delete(w.tasks, i, i+1)
	}
}

func draw(t *rapid.T) model.Strategy {
	s := model.Strategy{Kind: rapid.SampledFrom([]string{model.BlueGreen, model.Linear, model.Canary}).Draw(t, "kind")}
	s.Step, s.StepBake = rapid.SampledFrom([]int{30, 250, 333, 1000}).Draw(t, "step"), time.Minute
	s.Bake = time.Duration(rapid.IntRange(0, 5).Draw(t, "bake")) * time.Minute
	s.Alarms = model.DeploymentAlarms{Enable: rapid.Bool().Draw(t, "alarms"), Rollback: rapid.Bool().Draw(t, "alarmed back")}
	if rapid.Bool().Draw(t, "hooked") {
		action := rapid.SampledFrom([]string{model.PauseContinue, model.OrderRollback}).Draw(t, "action")
		s.Hooks = []model.Hook{{Stages: []model.Stage{model.StagePreScaleUp, model.StagePostTestShift, model.StagePreProductionShift}, Timeout: time.Minute, Action: action}}
	}
	return s
}

func (w *world) chance(t *rapid.T) {
	what := rapid.IntRange(0, 31).Draw(t, "event")
	task := -1
	if len(w.tasks) > 0 {
		task = rapid.IntRange(0, len(w.tasks)-1).Draw(t, "task")
	}
	switch {
	case what == 0:
		w.svc.DesiredCount = rapid.IntRange(0, 5).Draw(t, "desired")
		w.log("desired %d", w.svc.DesiredCount)
	case what == 1:
		w.deploy(draw(t))
	case what == 2:
		w.alarm = !w.alarm
	case what == 3:
		w.stuck = !w.stuck
	case what == 4:
		if d := w.svc.Deployments[0]; d.RolloutState == rollout.InProgress && !d.Progress.Back {
			w.change(0, func(d *model.Deployment) {
				d.Progress.Ordered = rapid.SampledFrom([]string{model.OrderRollback, model.OrderAbort}).Draw(t, "order")
			})
		}
	case what == 5:
		w.change(0, func(d *model.Deployment) { d.Progress.Pauses = nil }) // continued
	case what == 6:
		w.change(0, func(d *model.Deployment) { *d = rollout.TaskFailed(*d) })
	case what == 7:
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds")) * time.Second)
	case what == 30:
		w.astray = !w.astray
		w.log("production rule elsewhere: %t", w.astray)
	case what == 31:
		w.testAway = !w.testAway
		w.log("test rule elsewhere: %t", w.testAway)
	case task < 0:
	case what == 8:
		w.tasks[task].Phase, w.tasks[task].CanReturn = rollout.Ended, false // it dies
	case what == 9:
		for i := range w.tasks { // a whole revision dies
			if w.tasks[i].Deployment == w.tasks[task].Deployment {
				w.tasks[i].Phase, w.tasks[i].CanReturn = rollout.Ended, false
			}
		}
	case what == 10 && w.tasks[task].Phase == rollout.Running:
		w.tasks[task].Health, w.tasks[task].Proven, w.tasks[task].Protected = rollout.Unhealthy, false, false
	case what == 11:
		w.tasks[task].Protected = w.tasks[task].Health != rollout.Unhealthy
	default:
		for i := range slices.Backward(w.tasks) {
			w.progress(i)
		}
	}
}

// Whatever fails, and wherever somebody leads the rules, traffic goes only where healthy tasks are, none is taken from
// where enough of them serve, and the deployment ends.
func TestServiceServesThroughEveryDeployment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{now: t0, home: map[string]int{}, tested: rapid.Bool().Draw(t, "tested"), svc: model.Service{Status: model.Active}}
		w.svc.DesiredCount = rapid.IntRange(0, 5).Draw(t, "desired")
		w.svc.Rollout = model.RolloutConfig{MaximumPercent: 200, MinimumHealthyPercent: rapid.SampledFrom([]int{0, 50, 100}).Draw(t, "minimum")}
		w.svc.Rollout.CircuitBreaker, w.svc.Rollout.Rollback = rapid.Bool().Draw(t, "breaker"), rapid.Bool().Draw(t, "back")
		defer func() {
			if t.Failed() {
				for _, task := range w.tasks {
					w.log("%s of %s: phase %d health %d", task.ID, task.Deployment, task.Phase, task.Health)
				}
				for _, d := range w.svc.Deployments {
					w.log("%s %s %+v in %d", d.ID, d.RolloutState, d.Progress, w.home[d.ID])
				}
				t.Log(strings.Join(w.trace, "\n"))
			}
		}()
		w.deploy(draw(t))
		for range rapid.IntRange(0, 300).Draw(t, "events") {
			w.step(t)
			w.now = w.now.Add(time.Second)
			w.chance(t)
		}
		w.alarm, w.stuck = false, false
		for i := range w.tasks {
			w.tasks[i].Protected = false
		}
		w.log("all goes well")
		for range 2000 {
			s := w.step(t)
			w.now = w.now.Add(10 * time.Second)
			if w.ended(s) {
				return
			}
			for i := range slices.Backward(w.tasks) {
				w.progress(i)
			}
		}
		t.Fatalf("does not end: %+v\n%+v\n%+v", w.svc.Deployments, w.tasks, w.traffic())
	})
}

// ended reports whether the service is as it is to be, or has failed and is left
// as it is.
func (w *world) ended(s Step) bool {
	d := w.svc.Deployments[0]
	if d.RolloutState == rollout.Failed {
		idle := !slices.ContainsFunc(s.Sides, func(s Side) bool { return s.Start+len(s.Stop)+len(s.Return) > 0 })
		return s.Failure == nil && s.Shift == nil && idle
	}
	return s.Steady && len(w.tasks) == w.svc.DesiredCount && len(w.svc.Deployments) == 1
}
