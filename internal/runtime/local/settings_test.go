package local

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

// TestRestartPolicy: a container starts again where it ended, in what it has
// written, and its task goes on, also while no server runs; it ends for good with
// an ignored code.
func TestRestartPolicy(t *testing.T) {
	b := open(t)
	s := spec("idle")
	s.Containers[0].StopTimeout = time.Millisecond
	counter := container("counter", "count")
	counter.Essential = false
	counter.Restart = &model.RestartPolicy{IgnoredExitCodes: []int{4}}
	s.Containers = append(s.Containers, counter)
	b.run(s)
	eventually(t, "the container has ended for good", func() bool { return b.task(s.ID).state().Containers[1].ExitCode != nil })
	if got := b.task(s.ID).state().Containers[1]; got.RestartCount != 3 || *got.ExitCode != 4 || got.Running {
		t.Errorf("got %+v, want three restarts and exit code 4", got)
	}
	eventually(t, "its output is there", func() bool { return len(b.logs.get("/ecs/test/counter")) == 4 })
	if diff := cmp.Diff([]string{"start 1", "start 2", "start 3", "start 4"}, b.logs.get("/ecs/test/counter")); diff != "" {
		t.Error(diff)
	}
	if !b.task(s.ID).state().Running {
		t.Error("the task has ended with it")
	}

	s = spec("exit", "1", "300")
	s.Containers[0].Restart = &model.RestartPolicy{}
	b.run(s)
	b.close()
	time.Sleep(time.Second)
	b.open()
	if got := b.task(s.ID).state(); !got.Running || got.Containers[0].RestartCount < 1 {
		t.Errorf("after a second without a server: %+v", got)
	}
	if err := b.Stop(t.Context(), s.ID, time.Millisecond); err != nil {
		t.Fatal(err)
	}
}

// TestRestartPolicyWantsATimeOfWork: less, and an essential container ends the task.
func TestRestartPolicyWantsATimeOfWork(t *testing.T) {
	b := open(t)
	s := spec("exit", "1")
	s.Containers[0].Restart = &model.RestartPolicy{AttemptPeriod: time.Minute}
	b.run(s)
	if end := b.exit(); code(end, 0) != "1" || end.Containers[0].RestartCount != 0 {
		t.Errorf("got %+v", end.Containers[0])
	}
}

func TestInput(t *testing.T) {
	for name, row := range map[string]struct {
		interactive, terminal bool
		want                  []string
	}{
		"nothing asked for": {want: []string{"input ended: EOF", "0 /dev/null", "to standard error"}},
		"interactive":       {interactive: true, want: []string{"input is open", "0 pipe:", "to standard error"}},
		"terminal":          {terminal: true, want: []string{"input is open", "0 /dev/pts/0", "1 /dev/pts/0", "to standard error"}},
		"both":              {interactive: true, terminal: true, want: []string{"input is open", "2 /dev/pts/0"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			s := spec("input")
			s.Containers[0].Interactive, s.Containers[0].Terminal = row.interactive, row.terminal
			end, got := b.output(s)
			for _, want := range row.want {
				has(t, got, want)
			}
			if code(end, 0) != "0" || strings.Contains(strings.Join(got, ""), "\r") {
				t.Errorf("exit code %s, printed %q", code(end, 0), got)
			}
		})
	}
}

// TestTerminalIsTheUsers: also a user's who is not root.
func TestTerminalIsTheUsers(t *testing.T) {
	b := open(t)
	s := spec("write", "/dev/stdout", "mine")
	s.Containers[0].User, s.Containers[0].Terminal = "web", true
	_, got := b.output(s)
	has(t, got, "mine")
}
