package local

import (
	"os"
	"path/filepath"
	"slices"
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

// TestStartTimeout: whoever waits for another for too long ends the task, which
// says so.
func TestStartTimeout(t *testing.T) {
	b := open(t)
	s := spec("idle")
	slow := container("slow", "idle")
	slow.StartTimeout = 200 * time.Millisecond
	slow.HealthCheck = &model.ContainerHealthCheck{Command: []string{"CMD", "/guest", "exit", "1"}, Interval: 50 * time.Millisecond, Retries: 10000}
	s.Containers[0].DependsOn = []model.Dependency{{Container: "slow", Condition: "HEALTHY"}}
	s.Containers = append(s.Containers, slow)
	_, err := b.Start(t.Context(), s)
	if err == nil || err.Error() != "Task failed to start: container app cannot start: dependency slow is not HEALTHY after its startTimeout of 200ms" {
		t.Errorf("got %v", err)
	}
}

func TestSystemControls(t *testing.T) {
	b := open(t)
	s := inTurn(
		container("net", "read", "/proc/sys/net/core/somaxconn"), container("ipc", "read", "/proc/sys/kernel/shmmni"), container("app", "exit", "0"),
	)
	machine, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err != nil {
		t.Fatal(err)
	}
	s.Containers[2].SystemControls = []model.KeyValue{{Name: "net.core.somaxconn", Value: "123"}, {Name: "kernel.shmmni", Value: "321"}}
	b.output(s)
	has(t, b.logs.get("/ecs/test/net"), "123")
	has(t, b.logs.get("/ecs/test/ipc"), "321")
	if now, err := os.ReadFile("/proc/sys/net/core/somaxconn"); err != nil || string(now) != string(machine) {
		t.Errorf("of the machine: %q, was %q", now, machine)
	}
	for name, want := range map[string]string{
		"net.no_such": "no such file or directory", "kernel.hostname": "it is not of a network or an IPC namespace", "net./../kernel/hostname": "it is not of",
		"net.core.rmem_max": "set sysctl net.core.rmem_max", // of the machine's, where the kernel shows it here at all
	} {
		s := spec("exit", "0")
		s.Containers[0].SystemControls = []model.KeyValue{{Name: name, Value: "1"}}
		if _, err := b.Start(t.Context(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}

// TestStopSignal: the image's.
func TestStopSignal(t *testing.T) {
	for given, want := range map[string]string{"": "terminated", "SIGQUIT": "quit", "QUIT": "quit", "10": "user defined signal 1", "SIGRTMIN+3": "signal 37"} {
		b := open(t)
		b.images.config.StopSignal = given
		s := spec("signal")
		b.run(s)
		eventually(t, "the program minds its signals", func() bool { return len(b.logs.get("/ecs/test/app")) > 0 })
		if err := b.Stop(t.Context(), s.ID, time.Minute); err != nil {
			t.Fatal(err)
		}
		if end := b.exit(); code(end, 0) != "0" {
			t.Errorf("%q: exit code %s", given, code(end, 0))
		}
		has(t, b.logs.get("/ecs/test/app"), want)
	}
}

func TestUsers(t *testing.T) {
	layer := t.TempDir()
	if err := os.Mkdir(filepath.Join(layer, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"passwd": "root:x:0:0::/:\nweb:x:101:102::/:\n", "group": "web:x:102:\nlogs:x:500:web\nother:x:600:\n"} {
		if err := os.WriteFile(filepath.Join(layer, "etc", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for user, want := range map[string][]string{
		"":          {"ids 1 0 0", "groups []"},
		"web":       {"ids 1 101 102", "groups [500]"},
		"101":       {"ids 1 101 102", "groups [500]"},
		"web:other": {"ids 1 101 600", "groups []"},
		"101:7":     {"ids 1 101 7", "groups []"},
		"2000":      {"ids 1 2000 0", "groups []"},
		"2000:logs": {"ids 1 2000 500", "groups []"},
	} {
		b := open(t)
		b.images.layers = []string{layer}
		s := spec("inspect")
		s.Containers[0].User = user
		_, got := b.output(s)
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("user %q: want %q in %q", user, line, got)
			}
		}
	}
}

// TestEventsOfSeveralLines: an event is whole when another begins, and when the
// container has ended.
func TestEventsOfSeveralLines(t *testing.T) {
	b := open(t)
	s := spec("print", "2026-11-28 07:00:00 first", "  at line 1", "2026-11-28 07:00:01 second", "  at line 2")
	s.Containers[0].Log = model.LogConfig{Driver: model.LogAWS, Options: map[string]string{"awslogs-datetime-format": "%Y-%m-%d %H:%M:%S"}}
	_, got := b.output(s)
	want := []string{"2026-11-28 07:00:00 first\n  at line 1\n", "2026-11-28 07:00:01 second\n  at line 2\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
