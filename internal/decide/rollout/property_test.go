package rollout

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"neargate/internal/model"
)

// world is a service whose tasks do what the steps say and what chance wants.
type world struct {
	svc   model.Service
	tasks []Task
	now   time.Time
	made  int
}

func (w *world) deploy() {
	w.made++
	d := model.Deployment{ID: fmt.Sprintf("d%03d", w.made), RolloutState: InProgress}
	w.svc.Deployments = append([]model.Deployment{d}, w.svc.Deployments...)
}

func (w *world) find(id string) *Task {
	i := slices.IndexFunc(w.tasks, func(t Task) bool { return t.ID == id })
	if i < 0 {
		return nil
	}
	return &w.tasks[i]
}

func (w *world) alive() (n, well int) {
	for _, t := range w.tasks {
		if t.Phase == Starting || t.Phase == Running {
			n++
		}
		if healthy(t) && (t.Proven || t.Deployment != w.svc.Deployments[0].ID) {
			well++
		}
	}
	return n, well
}

func (w *world) ended() bool {
	return slices.ContainsFunc(w.tasks, func(t Task) bool { return t.Phase == Ended })
}

// step takes the next step and checks what must always hold.
func (w *world) step(t *rapid.T) Step {
	s := Next(w.svc, w.tasks, DefaultBackoff(), w.now)
	maximum := w.svc.DesiredCount * w.svc.Rollout.MaximumPercent / 100
	minimum := ceilPercent(w.svc.DesiredCount, w.svc.Rollout.MinimumHealthyPercent)
	for _, id := range s.Return {
		task := w.find(id)
		if task == nil || !task.CanReturn {
			t.Fatalf("takes back %s, which cannot return", id)
		}
		task.Phase, task.Health, task.Proven, task.CanReturn = Running, Waiting, false, false
	}
	if w.ended() && s.Start > 0 {
		t.Fatalf("starts %d while an ended task has targets in service", s.Start)
	}
	for range s.Start {
		w.made++
		w.tasks = append(w.tasks, Task{ID: fmt.Sprintf("t%04d", w.made), Deployment: w.svc.Deployments[0].ID})
	}
	if n, _ := w.alive(); s.Start+len(s.Return) > 0 && n > maximum {
		t.Fatalf("%d tasks after a start, maximum is %d", n, maximum)
	}
	replaced := false
	for _, stop := range s.Stop {
		task := w.find(stop.ID)
		if task == nil || task.Phase == Draining || task.Phase == Stopping {
			t.Fatalf("stops %s, which is not there or leaving", stop.ID)
		}
		replaced = replaced || stop.Why == Replaced && healthy(*task)
		task.CanReturn = stop.Why == Surplus && healthy(*task)
		task.Phase, task.Registered = Draining, true
	}
	if _, well := w.alive(); replaced && well < minimum {
		t.Fatalf("%d healthy after replacing, minimum is %d", well, minimum)
	}
	w.svc.Deployments = slices.DeleteFunc(slices.Clone(w.svc.Deployments), func(d model.Deployment) bool { return slices.Contains(s.Retire, d.ID) })
	if s.Complete {
		w.svc.Deployments[0].RolloutState = Completed
	}
	return s
}

// progress moves one task on as an engine and a balancer would.
func (w *world) progress(i int) {
	t := &w.tasks[i]
	switch {
	case t.Phase == Starting:
		t.Phase = Running
	case t.Phase == Running && t.Health == Waiting:
		t.Health = Healthy
	case t.Phase == Running && t.Health == Healthy:
		t.Proven = true
	case t.Phase == Draining && t.Registered:
		t.Registered = false
	case t.Phase == Draining:
		t.Phase, t.CanReturn = Stopping, false
	case t.Phase == Stopping || t.Phase == Ended:
		w.tasks = slices.Delete(w.tasks, i, i+1)
	}
}

func (w *world) chance(t *rapid.T) {
	what := rapid.IntRange(0, 9).Draw(t, "event")
	switch {
	case what == 0:
		w.svc.DesiredCount = rapid.IntRange(0, 8).Draw(t, "desired")
	case what == 1:
		w.deploy()
	case len(w.tasks) == 0:
	default:
		i := rapid.IntRange(0, len(w.tasks)-1).Draw(t, "task")
		switch {
		case what == 2:
			w.tasks[i].Phase, w.tasks[i].CanReturn = Ended, false // it dies
		case what == 3 && w.tasks[i].Phase == Running:
			w.tasks[i].Health, w.tasks[i].Proven = Unhealthy, false
		default:
			w.progress(i)
		}
	}
}

func TestServiceKeepsItsBoundsAndConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{now: t0, svc: model.Service{Status: "ACTIVE", DesiredCount: rapid.IntRange(0, 8).Draw(t, "desired")}}
		w.svc.Rollout.MaximumPercent = rapid.SampledFrom([]int{100, 125, 150, 200}).Draw(t, "maximum")
		w.svc.Rollout.MinimumHealthyPercent = rapid.SampledFrom([]int{0, 50, 75, 100}).Draw(t, "minimum")
		w.deploy()
		for range rapid.IntRange(0, 60).Draw(t, "events") {
			w.step(t)
			w.now = w.now.Add(time.Second)
			w.chance(t)
		}
		for range 200 { // from here on all goes well
			s := w.step(t)
			w.now = w.now.Add(time.Second)
			if s.Blocked {
				return // the percentages allow nothing, and it says so
			}
			if s.Steady && len(w.tasks) == w.svc.DesiredCount && len(w.svc.Deployments) == 1 {
				for _, task := range w.tasks {
					if task.Deployment != w.svc.Deployments[0].ID {
						t.Fatalf("steady with a task of %s", task.Deployment)
					}
				}
				return
			}
			for i := range slices.Backward(w.tasks) {
				w.progress(i)
			}
		}
		t.Fatalf("not steady: desired %d, tasks %+v, deployments %+v", w.svc.DesiredCount, w.tasks, w.svc.Deployments)
	})
}
