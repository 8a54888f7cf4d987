package local

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

// ill is a container that turns unhealthy, a while after its start.
func ill(name string, args ...string) model.ContainerSpec {
	c := container(name, args...)
	c.Essential = false
	c.HealthCheck = &model.ContainerHealthCheck{
		Command: []string{"CMD", "/guest", "exit", "1"}, Interval: 1500 * time.Millisecond, Retries: 2, // longer than the program takes to begin, in the VM too
	}
	return c
}

func waits(c model.ContainerSpec, on, condition string) model.ContainerSpec {
	c.DependsOn = []model.Dependency{{Container: on, Condition: condition}}
	return c
}

func failed(t *testing.T, err error, code, text string) {
	t.Helper()
	if m, ok := errors.AsType[*model.Error](err); !ok || m.Code != code || !strings.Contains(m.Msg, text) {
		t.Errorf("got %v, want %s: %s", err, code, text)
	}
}

// TestFailedStartStopsWhatRuns: by its stop signal, whatever the start fails by.
func TestFailedStartStopsWhatRuns(t *testing.T) {
	late := ill("side", "signal")
	late.HealthCheck.Interval, late.StartTimeout = time.Hour, time.Second
	missing := waits(container("app"), "init", "SUCCESS")
	missing.EntryPoint = []string{"foo"}
	init := container("init", "exit", "0", "300")
	init.Essential = false
	for _, row := range []struct {
		name       string
		containers []model.ContainerSpec
		code, text string
		blamed     string // container
	}{
		{"unhealthy", []model.ContainerSpec{ill("side", "signal"), waits(container("app", "wait"), "side", "HEALTHY")}, runtime.CodeWait, "dependency side is unhealthy", ""},
		{"late", []model.ContainerSpec{late, waits(container("app", "wait"), "side", "HEALTHY")}, runtime.CodeWait, "startTimeout of 1s", ""},
		{"cannot be created", []model.ContainerSpec{container("side", "signal"), init, missing}, runtime.CodeStart, `exec: "foo"`, "app"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			s := spec()
			s.Containers = row.containers
			end, err := b.Start(t.Context(), s)
			failed(t, err, row.code, row.text)
			var blamed string
			if c, ok := errors.AsType[*runtime.ContainerError](err); ok {
				blamed = c.Container
			}
			if blamed != row.blamed {
				t.Errorf("container %q is blamed, want %q", blamed, row.blamed)
			}
			if got := code(end, 0); got == "137" || got == "none" || code(end, len(s.Containers)-1) != "none" {
				t.Errorf("got %+v, want an orderly end of the first container alone", end.Containers)
			}
			if got := supervisors(b.id, ""); len(got) > 0 || b.images.holding() > 0 {
				t.Errorf("supervisors %v and %d images are left", got, b.images.holding())
			}
		})
	}
}

// TestFailedStartStopsInOrder: what others depend on ends after them, and a Stop
// meanwhile waits for it and leaves the reason as it is.
func TestFailedStartStopsInOrder(t *testing.T) {
	b := open(t)
	s := spec()
	side := waits(ill("side", "stubborn"), "base", "START")
	side.StopTimeout = time.Second
	s.Containers = []model.ContainerSpec{container("base", "wait"), side, waits(container("app", "wait"), "side", "HEALTHY")}
	var end model.RunState
	result := make(chan error, 1)
	go func() {
		var err error
		end, err = b.Start(t.Context(), s)
		result <- err
	}()
	eventually(t, "the start has failed", func() bool {
		task := b.task(s.ID)
		return task != nil && task.startFailure() != nil
	})
	task := b.task(s.ID)
	stopped := make(chan error, 1)
	go func() { stopped <- b.Stop(t.Context(), s.ID, time.Minute) }()
	eventually(t, "the side has ended", func() bool {
		now := task.reported().Containers
		if now[0].ExitCode != nil && now[1].ExitCode == nil {
			t.Error("the base ended before what depends on it")
		}
		return now[1].ExitCode != nil
	})
	failed(t, <-result, runtime.CodeWait, "dependency side is unhealthy")
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if code(end, 0) == "137" || code(end, 1) != "137" {
		t.Errorf("got %+v, want SIGKILL for the stubborn one alone", end.Containers)
	}
}

// TestStopOfAStartStopsWhatRuns: by its stop signal, whichever way it is told.
func TestStopOfAStartStopsWhatRuns(t *testing.T) {
	for name, stop := range map[string]func(*testBench, string, context.CancelCauseFunc) error{
		"Stop": func(b *testBench, id string, _ context.CancelCauseFunc) error {
			return b.Stop(b.t.Context(), id, time.Minute)
		},
		"context": func(_ *testBench, _ string, cancel context.CancelCauseFunc) error {
			cancel(runtime.ErrStopped)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			s := spec()
			side := container("side", "signal")
			side.Essential = false
			s.Containers = []model.ContainerSpec{side, waits(container("app", "wait"), "side", "COMPLETE")}
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			var end model.RunState
			result := make(chan error, 1)
			go func() {
				var err error
				end, err = b.Start(ctx, s)
				result <- err
			}()
			eventually(t, "the side minds its signal", func() bool { return len(b.logs.get("/ecs/test/side")) > 0 })
			if err := stop(b, s.ID, cancel); err != nil {
				t.Error(err)
			}
			if err := <-result; !errors.Is(err, runtime.ErrStopped) {
				t.Errorf("got %v, want ErrStopped", err)
			}
			if code(end, 0) != "0" || code(end, 1) != "none" {
				t.Errorf("got %+v, want an orderly end of the side alone", end.Containers)
			}
		})
	}
}
