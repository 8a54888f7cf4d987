package rollout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

var t0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// scene is a service in a few words: deployments newest first, and tasks, the
// first to stop first, as "DEPLOYMENT:STATE", STATE one of starting, waiting, young (healthy,
// not proven yet), healthy, unhealthy, returnable, leaving (draining, with targets
// in service), draining, stopping, ended (with targets in service).
type scene struct {
	desired, max, min int
	deployments       string // "new=IN_PROGRESS old=COMPLETED"
	tasks             string
	failures          int
	breaker           bool
	status            model.Status
}

func (s scene) build() (model.Service, []Task) {
	svc := model.Service{Status: s.status, DesiredCount: s.desired, Rollout: model.RolloutConfig{MaximumPercent: s.max, MinimumHealthyPercent: s.min, CircuitBreaker: s.breaker}}
	if svc.Status == "" {
		svc.Status = "ACTIVE"
	}
	for i, word := range strings.Fields(s.deployments) {
		id, state, _ := strings.Cut(word, "=")
		d := model.Deployment{ID: id, RolloutState: state}
		if i == 0 {
			d.FailedTasks = s.failures
		}
		svc.Deployments = append(svc.Deployments, d)
	}
	var tasks []Task
	for i, word := range strings.Fields(s.tasks) {
		deployment, state, _ := strings.Cut(word, ":")
		t := Task{ID: fmt.Sprintf("%d-%s", i, word), Deployment: deployment, Phase: Running}
		switch state {
		case "starting":
			t.Phase = Starting
		case "young":
			t.Health = Healthy
		case "healthy":
			t.Health, t.Proven = Healthy, true
		case "unhealthy":
			t.Health = Unhealthy
		case "returnable":
			t.Phase, t.CanReturn = Draining, true
		case "draining":
			t.Phase = Draining
		case "leaving":
			t.Phase, t.Registered = Draining, true
		case "stopping":
			t.Phase = Stopping
		case "ended":
			t.Phase = Ended
		}
		tasks = append(tasks, t)
	}
	return svc, tasks
}

// brief is a step in one line.
func brief(s Step) string {
	var parts []string
	if s.Start > 0 {
		parts = append(parts, fmt.Sprintf("start %d", s.Start))
	}
	if len(s.Return) > 0 {
		parts = append(parts, "return "+strings.Join(s.Return, " "))
	}
	why := []string{"surplus", "replaced", "unwell", "deleted"}
	for _, stop := range s.Stop {
		parts = append(parts, "stop "+stop.ID+" "+why[stop.Why])
	}
	for _, id := range s.Retire {
		parts = append(parts, "retire "+id)
	}
	for _, flag := range []struct {
		on   bool
		name string
	}{{s.Complete, "complete"}, {s.Fail, "fail"}, {s.Steady, "steady"}, {s.Blocked, "blocked"}, {s.Impaired, "impaired"}, {s.Gone, "gone"}, {s.Held, "held"}} {
		if flag.on {
			parts = append(parts, flag.name)
		}
	}
	return strings.Join(parts, ", ")
}

func TestNext(t *testing.T) {
	const one, two = "new=COMPLETED", "new=IN_PROGRESS old=COMPLETED"
	tests := []struct {
		name string
		scene
		want string
	}{
		{"a new service starts all", scene{desired: 2, max: 200, min: 100, deployments: "new=IN_PROGRESS"}, "start 2"},
		{"waits while tasks start", scene{desired: 2, max: 200, min: 100, deployments: "new=IN_PROGRESS", tasks: "new:starting new:healthy"}, ""},
		{"completes when all are healthy", scene{desired: 1, max: 200, min: 100, deployments: "new=IN_PROGRESS", tasks: "new:healthy"}, "complete, steady"},
		{"completes with no tasks", scene{desired: 0, max: 200, min: 100, deployments: "new=IN_PROGRESS"}, "complete, steady"},
		{"steady", scene{desired: 1, max: 200, min: 100, deployments: one, tasks: "new:healthy"}, "steady"},
		{"steady while one drains", scene{desired: 1, max: 200, min: 100, deployments: one, tasks: "new:healthy new:draining"}, "steady"},
		{"not steady until its targets are deregistered", scene{desired: 1, max: 200, min: 100, deployments: one, tasks: "new:healthy new:leaving"}, ""},
		{"a replacement waits for the targets of the dead", scene{desired: 2, max: 200, min: 100, deployments: one, tasks: "new:healthy new:ended"}, "held"},
		{"of whatever deployment", scene{desired: 2, max: 200, min: 100, deployments: two, tasks: "old:healthy old:healthy old:ended"}, "held"},
		{"but not a task that comes back", scene{desired: 2, max: 200, min: 100, deployments: one, tasks: "new:healthy new:returnable new:ended"}, "return 1-new:returnable"},
		{"nor a service that has all", scene{desired: 1, max: 200, min: 100, deployments: one, tasks: "new:healthy new:ended"}, "steady"},
		{"nothing is stuck while they go", scene{desired: 1, max: 100, min: 100, deployments: two, tasks: "old:healthy old:ended"}, "held"},
		{"replaces a dead task", scene{desired: 2, max: 200, min: 100, deployments: one, tasks: "new:healthy"}, "start 1"},
		{"scale-in stops the first in order", scene{desired: 1, max: 200, min: 100, deployments: one, tasks: "new:healthy new:healthy"}, "stop 0-new:healthy surplus"},
		{"scale-in to nothing stops unwell ones too", scene{desired: 0, max: 200, min: 100, deployments: one, tasks: "new:healthy new:unhealthy"}, "stop 0-new:healthy surplus, stop 1-new:unhealthy unwell"},
		{"takes draining tasks back before starting", scene{desired: 3, max: 200, min: 100, deployments: one, tasks: "new:healthy new:returnable new:draining"}, "start 1, return 1-new:returnable"},
		{"an unhealthy task is replaced first", scene{desired: 2, max: 200, min: 100, deployments: one, tasks: "new:healthy new:unhealthy"}, "start 1"},
		{"and stays while its replacement starts", scene{desired: 2, max: 200, min: 100, deployments: one, tasks: "new:healthy new:unhealthy new:starting"}, ""},
		{"and goes when that is healthy", scene{desired: 2, max: 200, min: 100, deployments: one, tasks: "new:healthy new:unhealthy new:healthy"}, "stop 1-new:unhealthy unwell"},
		{"without room one unhealthy task makes some", scene{desired: 2, max: 100, min: 50, deployments: one, tasks: "new:unhealthy new:unhealthy"}, "stop 0-new:unhealthy unwell"},
		{"and the next waits for the replacement", scene{desired: 2, max: 100, min: 50, deployments: one, tasks: "new:unhealthy new:waiting"}, ""},
		{"200 % of 4 starts 4 first", scene{desired: 4, max: 200, min: 100, deployments: two, tasks: "old:healthy old:healthy old:healthy old:healthy"}, "start 4"},
		{"50 % of 4 may stop 2 first", scene{desired: 4, max: 100, min: 50, deployments: two, tasks: "old:healthy old:healthy old:healthy old:healthy"}, "stop 0-old:healthy replaced, stop 1-old:healthy replaced"},
		{"75 % of 2 and 100 % are stuck", scene{desired: 2, max: 100, min: 75, deployments: two, tasks: "old:healthy old:healthy"}, "blocked"},
		{"125 % of 3 cannot start any", scene{desired: 3, max: 125, min: 100, deployments: two, tasks: "old:healthy old:healthy old:healthy"}, "blocked"},
		{"an old task goes for each healthy new one", scene{desired: 2, max: 200, min: 100, deployments: two, tasks: "old:healthy old:healthy new:healthy new:starting"}, "stop 0-old:healthy replaced"},
		{"an old task stays until the new one is proven", scene{desired: 1, max: 200, min: 100, deployments: two, tasks: "old:healthy new:young"}, ""},
		{"a first deployment completes when its task is proven", scene{desired: 1, max: 200, min: 100, deployments: "new=IN_PROGRESS", tasks: "new:young"}, ""},
		{"a scale-out is steady at once", scene{desired: 2, max: 200, min: 100, deployments: one, tasks: "new:healthy new:young"}, "steady"},
		{"an unhealthy task goes for a young one", scene{desired: 1, max: 200, min: 100, deployments: one, tasks: "new:unhealthy new:young"}, "stop 0-new:unhealthy unwell"},
		{"old tasks that never ran go at once", scene{desired: 1, max: 200, min: 100, deployments: two, tasks: "old:starting new:starting"}, "stop 0-old:starting replaced"},
		{"waits for old tasks to end", scene{desired: 1, max: 200, min: 100, deployments: two, tasks: "old:draining new:healthy"}, ""},
		{"then retires the old deployment and completes", scene{desired: 1, max: 200, min: 100, deployments: two, tasks: "new:healthy"}, "retire old, complete, steady"},
		{"scaling out during a deployment goes to the new one", scene{desired: 4, max: 200, min: 100, deployments: two, tasks: "old:healthy old:healthy new:starting new:starting"}, "start 2"},
		{"scaling in during a deployment", scene{desired: 1, max: 200, min: 100, deployments: two, tasks: "old:healthy old:healthy new:starting new:starting"}, "stop 2-new:starting surplus, stop 0-old:healthy replaced"},
		{"two failures do not trip the breaker", scene{desired: 1, max: 200, min: 100, deployments: two, tasks: "old:healthy", failures: 2, breaker: true}, "start 1"},
		{"three do", scene{desired: 1, max: 200, min: 100, deployments: two, tasks: "old:healthy", failures: 3, breaker: true}, "fail"},
		{"without a breaker nothing trips", scene{desired: 1, max: 200, min: 100, deployments: two, tasks: "old:healthy", failures: 99}, "start 1"},
		{"a failed deployment starts nothing", scene{desired: 2, max: 200, min: 100, deployments: "new=FAILED old=COMPLETED", tasks: "old:healthy"}, ""},
		{"and gives up its own tasks first", scene{desired: 1, max: 200, min: 100, deployments: "new=FAILED old=COMPLETED", tasks: "old:healthy new:healthy"}, "stop 1-new:healthy surplus"},
		{"a deleted service stops all", scene{desired: 0, max: 200, min: 100, deployments: one, tasks: "new:healthy new:draining new:starting", status: "DRAINING"}, "stop 0-new:healthy deleted, stop 2-new:starting deleted"},
		{"and is gone without tasks", scene{desired: 0, max: 200, min: 100, deployments: one, status: "DRAINING"}, "gone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			svc, tasks := tt.build()
			if diff := cmp.Diff(tt.want, brief(Next(svc, tasks, DefaultBackoff(), t0))); diff != "" {
				t.Errorf("step (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNextBacksOff(t *testing.T) {
	b := DefaultBackoff()
	d := model.Deployment{ID: "new", RolloutState: InProgress}
	now := t0
	for round, seconds := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
		want := time.Duration(seconds) * time.Second
		d = NotStarted(d, now, now.Add(time.Millisecond))
		d = NotStarted(d, now, now.Add(2*time.Millisecond)) // another of the same round
		if got := b.Retry(d).Sub(d.StartFailedAt); got != want {
			t.Errorf("round %d: got delay %v, want %v", round+1, got, want)
		}
		svc := model.Service{Status: "ACTIVE", DesiredCount: 1, Rollout: model.RolloutConfig{MaximumPercent: 200, MinimumHealthyPercent: 100}, Deployments: []model.Deployment{d}}
		early := Next(svc, nil, b, b.Retry(d).Add(-time.Nanosecond))
		if early.Start != 0 || !early.Again.Equal(b.Retry(d)) || early.Impaired != (round >= 2) {
			t.Errorf("round %d: before the delay is over: got %+v", round+1, early)
		}
		now = b.Retry(d)
		if step := Next(svc, nil, b, now); step.Start != 1 {
			t.Errorf("round %d: after the delay: got %q", round+1, brief(step))
		}
	}
	if got := b.Retry(Started(d)); !got.IsZero() {
		t.Errorf("after a start: got retry at %v, want at once", got)
	}
}

func TestCrashesAreReplacedEverMoreSlowly(t *testing.T) {
	b := DefaultBackoff()
	d := model.Deployment{ID: "new", RolloutState: Completed}
	now := t0
	for round, seconds := range []int{0, 1, 2, 4, 8, 10, 10} {
		want := time.Duration(seconds) * time.Second
		d = b.Crashed(d, now, now.Add(time.Millisecond))
		d = b.Crashed(d, now, now.Add(2*time.Millisecond)) // another of the same round
		got := max(b.Retry(d).Sub(d.CrashedAt), 0)
		if got != want {
			t.Errorf("round %d: got delay %v, want %v", round+1, got, want)
		}
		now = d.CrashedAt.Add(got + time.Millisecond)
	}
	if d = b.Crashed(d, now, now.Add(b.ShortLife)); !b.Retry(d).IsZero() {
		t.Errorf("after a long life: got retry at %v, want at once", b.Retry(d))
	}
}

func TestThreshold(t *testing.T) {
	tests := []struct {
		name    string
		cfg     model.RolloutConfig
		desired int
		want    int
	}{
		{"at least 3", model.RolloutConfig{}, 1, 3},
		{"half, rounded up", model.RolloutConfig{}, 25, 13},
		{"at most 200", model.RolloutConfig{}, 1000, 200},
		{"a count", model.RolloutConfig{ThresholdType: "COUNT", ThresholdValue: 7}, 100, 7},
		{"unbounded percent", model.RolloutConfig{ThresholdType: "UNBOUNDED_PERCENT", ThresholdValue: 100}, 1000, 1000},
	}
	for _, tt := range tests {
		if got := Threshold(tt.cfg, tt.desired); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestJudge(t *testing.T) {
	live := Timing{Checked: 2 * time.Second, Unchecked: 5 * time.Second}
	aws := Timing{Unchecked: 40 * time.Second}
	grace := Timing{Grace: time.Minute}
	tests := []struct {
		name   string
		checks Checks
		timing Timing
		after  time.Duration
		want   string
		again  time.Duration
	}{
		{"no checks, early", Checks{}, live, time.Second, "healthy", 5 * time.Second},
		{"no checks, after 5 s", Checks{}, live, 5 * time.Second, "proven", 0},
		{"no checks, AWS timing, early", Checks{}, aws, 39 * time.Second, "healthy", 40 * time.Second},
		{"no checks, AWS timing, after 40 s", Checks{}, aws, 40 * time.Second, "proven", 0},
		{"target healthy, AWS timing", Checks{Targets: []string{"healthy"}}, aws, 0, "proven", 0},
		{"target just healthy", Checks{Targets: []string{"healthy"}}, live, time.Minute, "healthy", 62 * time.Second},
		{"target healthy for 2 s", Checks{Targets: []string{"healthy"}, HealthySince: t0.Add(time.Minute)}, live, 62 * time.Second, "proven", 0},
		{"target initial", Checks{Targets: []string{"initial"}}, live, time.Hour, "waiting", 0},
		{"one of two targets initial", Checks{Targets: []string{"healthy", "initial"}}, live, 0, "waiting", 0},
		{"not registered", Checks{Targets: []string{""}}, live, 0, "waiting", 0},
		{"target unhealthy", Checks{Targets: []string{"unhealthy"}}, live, 0, "unhealthy", 0},
		{"target unhealthy within the grace", Checks{Targets: []string{"unhealthy"}}, grace, time.Second, "waiting", time.Minute},
		{"target unhealthy after the grace", Checks{Targets: []string{"unhealthy"}}, grace, time.Minute, "unhealthy", 0},
		{"container check pending", Checks{Container: "UNKNOWN"}, live, 0, "waiting", 0},
		{"both checks pass", Checks{Container: "HEALTHY", Targets: []string{"healthy"}}, aws, 0, "proven", 0},
		{"container check fails", Checks{Container: "UNHEALTHY", Targets: []string{"healthy"}}, live, 0, "unhealthy", 0},
		{"group that nothing uses", Checks{Targets: []string{"unused"}}, live, 0, "healthy", 5 * time.Second},
	}
	for _, tt := range tests {
		tt.checks.RunningSince = t0
		v := Judge(tt.checks, tt.timing, t0.Add(tt.after))
		got := []string{"waiting", "healthy", "unhealthy"}[v.Health]
		if v.Proven {
			got = "proven"
		}
		if got != tt.want || !v.Again.IsZero() != (tt.again > 0) || tt.again > 0 && !v.Again.Equal(t0.Add(tt.again)) {
			t.Errorf("%s: got %v again %v, want %v again %v", tt.name, got, v.Again.Sub(t0), tt.want, tt.again)
		}
	}
}

func TestFailuresAreCountedUntilATaskIsProven(t *testing.T) {
	d := model.Deployment{RolloutState: InProgress}
	d = TaskFailed(TaskFailed(d))
	if kept := TaskProved(d, model.RolloutConfig{KeepFailures: true}); d.FailedTasks != 2 || kept.FailedTasks != 2 {
		t.Errorf("got %d failures, %d where they are kept, want 2", d.FailedTasks, kept.FailedTasks)
	}
	if d = TaskProved(d, model.RolloutConfig{}); d.FailedTasks != 0 {
		t.Errorf("got %d failures after a task was proven, want none", d.FailedTasks)
	}
	d.RolloutState = Completed
	if d = TaskFailed(d); d.FailedTasks != 0 {
		t.Errorf("got %d failures of a deployment that is complete, want none", d.FailedTasks)
	}
}
