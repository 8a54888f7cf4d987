package task_test

import (
	"testing"

	"neargate/internal/decide/task"
	"neargate/internal/model"
)

// The examples with two containers are those of API_HealthCheck.
func TestTheHealthOfATask(t *testing.T) {
	for _, row := range []struct {
		name            string
		one, two        string // the health of two essential containers; "": no check
		side            string // that of one that is not essential
		health, verdict string
	}{
		{"all passed", "HEALTHY", "HEALTHY", "UNHEALTHY", "HEALTHY", "HEALTHY"},
		{"one failed", "HEALTHY", "UNHEALTHY", "HEALTHY", "UNHEALTHY", "UNHEALTHY"},
		{"one failed, one not evaluated", "UNKNOWN", "UNHEALTHY", "HEALTHY", "UNHEALTHY", "UNHEALTHY"},
		{"one not evaluated", "HEALTHY", "UNKNOWN", "HEALTHY", "UNKNOWN", "UNKNOWN"},
		{"one without a check", "HEALTHY", "", "HEALTHY", "UNKNOWN", "HEALTHY"},
		{"one failed, one without a check", "UNHEALTHY", "", "HEALTHY", "UNHEALTHY", "UNHEALTHY"},
		{"no check that counts", "", "", "HEALTHY", "UNKNOWN", "UNKNOWN"},
	} {
		var def model.TaskDefinition
		var containers []model.Container
		add := func(name, health string, essential bool) {
			c := model.ContainerDefinition{Name: name, Essential: essential}
			if health != "" {
				c.HealthCheck = &model.ContainerHealthCheck{}
			}
			def.Containers = append(def.Containers, c)
			containers = append(containers, model.Container{Name: name, Health: health})
		}
		add("one", row.one, true)
		add("two", row.two, true)
		add("side", row.side, false)
		health, verdict := task.Health(def, containers), task.Verdict(def, containers)
		if health != row.health || verdict != row.verdict {
			t.Errorf("%s: health %s, verdict %s; want %s and %s", row.name, health, verdict, row.health, row.verdict)
		}
	}
}

// However the engine's word on a container arrives, the task has its health: with
// the answer of the start, before it, after it, or from an earlier server.
func TestTheHealthFollowsFromTheContainers(t *testing.T) {
	def := model.TaskDefinition{Containers: []model.ContainerDefinition{{Name: "app", Essential: true, HealthCheck: &model.ContainerHealthCheck{}}}}
	is := func(health string) model.RunState {
		run := running()
		run.Containers = []model.ContainerState{{Name: "app", Running: true, Health: health}}
		return run
	}
	fresh := func() task.State {
		r := record(nil)
		r.Containers = []model.Container{{Name: "app", Health: "UNKNOWN"}}
		s, _ := task.Next(task.New(r, def), task.Tick{}, start)
		return s
	}
	for _, row := range []struct {
		name   string
		events []task.Event
	}{
		{"while others started", []task.Event{task.Started{Run: is("HEALTHY")}}},
		{"after the start", []task.Event{task.Started{Run: is("UNKNOWN")}, task.ContainersChanged{Run: is("HEALTHY")}}},
		{"before the start was answered", []task.Event{task.ContainersChanged{Run: is("HEALTHY")}, task.Started{Run: is("UNKNOWN")}}},
	} {
		s := fresh()
		for _, e := range row.events {
			s, _ = task.Next(s, e, start)
		}
		if s.Record.Health != "HEALTHY" || s.Record.Containers[0].Health != "HEALTHY" {
			t.Errorf("%s: task %s, container %s", row.name, s.Record.Health, s.Record.Containers[0].Health)
		}
	}
	run := is("HEALTHY")
	if s := task.Recover(fresh().Record, def, &run, nil, start); s.Record.Health != "HEALTHY" {
		t.Errorf("taken over: task %s", s.Record.Health)
	}
}
