package task_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/decide/task"
	"neargate/internal/model"
)

var update = flag.Bool("update", false, "rewrite the stories in testdata with what happens now")

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestStories replays the life stories in testdata. A line that is not indented
// is an event, with the time since the start of the story; the indented lines
// below it are the state and the orders that follow. Run with -update to rewrite
// them, and commit only changes that you understand and want.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("stories: %d, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, string(data))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(data), got); diff != "" {
				t.Errorf("story (-file +now):\n%s", diff)
			}
		})
	}
}

func replay(t *testing.T, text string) string {
	t.Helper()
	var out strings.Builder
	var s task.State
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "    ") {
			continue
		}
		out.WriteString(line)
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		switch words[0] {
		case "task":
			s = task.New(record(words[1:]), model.TaskDefinition{})
			continue
		case "recover":
			s = recovered(t, s, words[1:])
			words = []string{"0s", "tick"}
		}
		after, err := time.ParseDuration(words[0])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		now := start.Add(after)
		next, orders := task.Next(s, event(t, s, words[1:]), now)
		s = next
		for _, l := range describe(s, orders, now) {
			out.WriteString("    " + l + "\n")
		}
	}
	return out.String()
}

func record(groups []string) model.Task {
	r := model.Task{
		ID: "t1", Service: "web", LastStatus: model.TaskProvisioning, DesiredStatus: model.TaskRunning, CreatedAt: start,
		Containers: []model.Container{{Name: "app", LastStatus: model.TaskPending}},
	}
	for i, g := range groups {
		r.LoadBalancers = append(r.LoadBalancers, model.ServiceLoadBalancer{TargetGroupARN: g, ContainerName: "app", ContainerPort: 8080 + i})
	}
	return r
}

// recovered is the state of the same task on a new server. Words say what the
// engine has, running, ended, failed or nothing, and the standings as GROUP=STANDING.
func recovered(t *testing.T, s task.State, words []string) task.State {
	t.Helper()
	standing := map[string]task.Standing{}
	for _, w := range words[1:] {
		group, at, _ := strings.Cut(w, "=")
		for k := task.Out; k <= task.Draining; k++ {
			if k.String() == at {
				standing[group] = k
			}
		}
	}
	var run *model.RunState
	switch words[0] {
	case "running":
		r := running()
		run = &r
	case "ended":
		r := ended(1)
		run = &r
	case "failed":
		r := failed()
		run = &r
	case "nothing":
	default:
		t.Fatalf("recover %s?", words[0])
	}
	return task.Recover(s.Record, model.TaskDefinition{}, run, standing, start)
}

func running() model.RunState {
	return model.RunState{
		ID: "t1", Running: true, IP: "10.0.0.1", StartedAt: start.Add(200 * time.Millisecond),
		Containers: []model.ContainerState{{Name: "app", Running: true}},
	}
}

func ended(code int) model.RunState {
	r := running()
	r.Running = false
	r.Containers = []model.ContainerState{{Name: "app", ExitCode: &code}}
	return r
}

// failed is a task that ran until the machine failed.
func failed() model.RunState {
	r := ended(137)
	r.Failure = model.Errorf(model.Internal, "InternalError", "the machine failed")
	return r
}

func event(t *testing.T, s task.State, words []string) task.Event {
	t.Helper()
	rest := strings.Join(words[1:], " ")
	switch words[0] {
	case "tick":
		return task.Tick{}
	case "started":
		return task.Started{Run: running()}
	case "started-and-ended":
		return task.Started{Run: ended(number(t, rest))}
	case "not-started":
		return task.NotStarted{Reason: rest}
	case "ended":
		return task.Ended{Run: ended(number(t, rest))}
	case "stop":
		return task.StopOrdered{Code: words[1], Reason: strings.Join(words[2:], " ")}
	case "stop-surplus":
		return task.StopOrdered{Code: "ServiceSchedulerInitiated", Reason: "too many", Surplus: true}
	case "stop-hurried":
		return task.StopOrdered{Code: words[1], Reason: strings.Join(words[2:], " "), Hurry: true}
	case "resumed":
		return task.Resumed{}
	case "stop-done":
		return task.StopDone{}
	case "stop-failed":
		return task.StopFailed{}
	case "registered":
		return task.Registered{Group: rest}
	case "deregistered":
		return task.Deregistered{Group: rest}
	case "drained":
		return task.Drained{Group: rest}
	case "refused", "gone":
		return task.Refused{Group: words[1], Reason: strings.Join(words[2:], " "), Gone: words[0] == "gone"}
	case "healthy":
		return task.BecameHealthy{}
	case "proved":
		return task.Proved{}
	case "unhealthy":
		return task.BecameUnhealthy{}
	case "written":
		return task.Written{Changes: s.Writing}
	case "write-failed":
		return task.WriteFailed{Changes: s.Writing}
	}
	t.Fatalf("no event %q", words[0])
	return nil
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func describe(s task.State, o task.Orders, now time.Time) []string {
	r := s.Record
	state := string(r.LastStatus)
	if r.DesiredStatus == model.TaskStopped {
		state += fmt.Sprintf(", to stop: %s %q", r.StopCode, r.StopReason)
	}
	if code := r.Containers[0].ExitCode; code != nil {
		state += fmt.Sprintf(", exit %d", *code)
	}
	for _, g := range slices.Sorted(maps.Keys(s.Groups)) {
		state += fmt.Sprintf(", %s %s", g, s.Groups[g].Standing)
	}
	lines := []string{fmt.Sprintf("%s, change %d, %d on disk", state, s.Changes, s.Written)}
	add := func(label string, words []string) {
		if len(words) > 0 {
			lines = append(lines, label+" "+strings.Join(words, ", "))
		}
	}
	add("now:", names(o.Now))
	add("then:", names(o.Then))
	var facts []string
	for _, f := range o.Facts {
		facts = append(facts, strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Kind, f.Group, f.Reason)))
	}
	add("facts:", facts)
	if !o.Again.IsZero() {
		lines = append(lines, "again: in "+o.Again.Sub(now).String())
	}
	return lines
}

func names(orders []task.Order) []string {
	var all []string
	for _, o := range orders {
		word := strings.TrimSpace(o.Kind.String() + " " + o.Group)
		if o.Lost {
			word += " (lost)"
		}
		all = append(all, word)
	}
	return all
}
