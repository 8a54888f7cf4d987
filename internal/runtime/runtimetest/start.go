package runtimetest

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

func startAndStop(b *bench) {
	spec := task(b.container("app", "wait"))
	before := time.Now()
	s := b.start(spec)
	if s.ID != spec.ID || s.Labels["for"] != "test" || !s.Running || s.MAC == "" {
		b.Fatalf("got %+v, want it running", s)
	}
	ip, err := netip.ParseAddr(s.IP)
	if err != nil || !b.engine.Capabilities().Network.Contains(ip) {
		b.Errorf("got address %q, want one of %s", s.IP, b.engine.Capabilities().Network)
	}
	if s.PullStartedAt.Before(before) || s.PullStoppedAt.Before(s.PullStartedAt) || s.StartedAt.Before(s.PullStoppedAt) || !s.StoppedAt.IsZero() {
		b.Errorf("got pull %s to %s, start %s, stop %s", s.PullStartedAt, s.PullStoppedAt, s.StartedAt, s.StoppedAt)
	}
	c := find(b, s, "app")
	if !c.Running || c.ExitCode != nil || c.ImageDigest != b.Digest || c.RuntimeID == "" || c.Health != "UNKNOWN" {
		b.Errorf("got container %+v, want it running, with digest %s", c, b.Digest)
	}
	if err := b.engine.Forget(b.Context(), spec.ID); true {
		b.refused("forget a running task", err, model.Conflict, runtime.CodeResource)
	}
	b.ready(spec, "app")
	for range 2 {
		b.stop(spec.ID)
	}
	end := b.ended(spec.ID)
	b.exited(end, "app", 0, 143)
	endedSince(b, end, s.StartedAt)
	if end.IP != s.IP || end.Labels["for"] != "test" || find(b, end, "app").ImageDigest != b.Digest {
		b.Errorf("got end %+v of %+v", end, s)
	}
	if kept := b.known(); len(kept) != 1 || kept[0].Running || find(b, kept[0], "app").ExitCode == nil {
		b.Errorf("got %+v, want the ended task until it is forgotten", kept)
	}
	for range 2 {
		if err := b.engine.Forget(b.Context(), spec.ID); err != nil {
			b.Fatal(err)
		}
	}
	if kept := b.known(); len(kept) > 0 {
		b.Errorf("got %+v after Forget", kept)
	}
	b.stop(spec.ID)
}

func refusedSpecs(b *bench) {
	var ids []string
	for what, change := range map[string]func(*model.TaskSpec){
		"no ID":              func(s *model.TaskSpec) { s.ID = "" },
		"an ID with a slash": func(s *model.TaskSpec) { s.ID = "../a" },
		"no CPU":             func(s *model.TaskSpec) { s.CPUUnits = 0 },
		"no memory":          func(s *model.TaskSpec) { s.MemoryMiB = 0 },
		"no container":       func(s *model.TaskSpec) { s.Containers = nil },
		"a bad name":         func(s *model.TaskSpec) { s.Containers[0].Name = "a/b" },
		"a name twice":       func(s *model.TaskSpec) { s.Containers[1].Name = "app" },
		"a circle": func(s *model.TaskSpec) {
			s.Containers[0] = after(s.Containers[0], "side", "START")
			s.Containers[1] = after(s.Containers[1], "app", "START")
		},
		"an unknown dependency": func(s *model.TaskSpec) { s.Containers[0] = after(s.Containers[0], "none", "START") },
		"an unknown condition":  func(s *model.TaskSpec) { s.Containers[0] = after(s.Containers[0], "side", "SOON") },
	} {
		spec := task(b.container("app", "wait"), b.container("side", "wait"))
		change(&spec)
		_, err := b.engine.Start(b.Context(), spec)
		b.refused(what, err, model.Invalid, runtime.CodeResource)
		ids = append(ids, spec.ID)
	}
	b.unknown(ids...)
}

func refusedIDs(b *bench) {
	spec := task(b.container("app", "wait"))
	b.start(spec)
	_, err := b.engine.Start(b.Context(), spec)
	b.refused("start a running task", err, model.Conflict, runtime.CodeResource)
	b.stop(spec.ID)
	_, err = b.engine.Start(b.Context(), spec)
	b.refused("start an ended task", err, model.Conflict, runtime.CodeResource)
	b.endedOnce(spec.ID)

	waits := b.endless()
	result := b.startInBackground(b.Context(), waits)
	if err := b.engine.Forget(b.Context(), waits.ID); true {
		b.refused("forget a starting task", err, model.Conflict, runtime.CodeResource)
	}
	b.stop(waits.ID)
	<-result
}

func startErrors(b *bench) {
	missing := task(b.container("app", "wait"), b.container("side", "wait"))
	missing.Containers[1].Image = b.MissingImage
	s, err := b.engine.Start(b.Context(), missing)
	if m, ok := errors.AsType[*model.Error](err); !ok || m.Code != runtime.CodePull || !strings.Contains(m.Msg, b.MissingImage) {
		b.Errorf("missing image: got %v, want %s with its name", err, runtime.CodePull)
	}
	if c, ok := errors.AsType[*runtime.ContainerError](err); !ok || c.Container != "side" {
		b.Errorf("missing image: got %#v, want the container side blamed", err)
	}
	if s.Running {
		b.Errorf("missing image: got %+v with the error", s)
	}
	b.unknown(missing.ID)
	missing.Containers[1].Image = b.Image
	b.start(missing) // the ID is free again
	b.stop(missing.ID)
}

func failedDependency(b *bench) {
	init := b.container("init", "exit", "3")
	init.Essential = false
	spec := task(init, after(b.container("app", "wait"), "init", "SUCCESS"))
	s, err := b.engine.Start(b.Context(), spec)
	if m, ok := errors.AsType[*model.Error](err); !ok || m.Code != runtime.CodeWait || !strings.Contains(m.Msg, "init") {
		b.Errorf("got %v, want %s with the name of the container", err, runtime.CodeWait)
	}
	b.exited(s, "init", 3)
	if c := find(b, s, "app"); c.Running || c.ExitCode != nil || c.ImageDigest != b.Digest {
		b.Errorf("got %+v of a container that was never started", c)
	}
	b.unknown(spec.ID)
}

// failedStartStops has what runs when a start fails end by its stop signal.
func failedStartStops(b *bench) {
	side := b.checked(b.container("side", "wait"), "0")
	init := after(b.container("init", "exit", "3"), "side", "HEALTHY")
	init.Essential = false
	spec := task(side, init, after(b.container("app", "wait"), "init", "SUCCESS"))
	begin := time.Now()
	s, err := b.engine.Start(b.Context(), spec)
	b.refused("start", err, model.Invalid, runtime.CodeWait)
	endedSince(b, s, begin)
	b.exited(s, "side", 0, 143)
	b.exited(s, "init", 3)
	b.unknown(spec.ID)
}

// essentialContainerEndsEarly has an essential container end while another one has
// yet to be started: the start ends with it, and says so.
func essentialContainerEndsEarly(b *bench) {
	init := b.container("init", "wait")
	init.Essential = false
	spec := task(init, b.container("app", "exit", "5"), after(b.container("late", "wait"), "init", "COMPLETE"))
	begin := time.Now()
	s, err := b.engine.Start(b.Context(), spec)
	if !errors.Is(err, runtime.ErrEssentialEnded) || s.Running || s.Failure != nil {
		b.Errorf("got %+v, %v, want ErrEssentialEnded and no failure of the engine's", s, err)
	}
	b.exited(s, "app", 5)
	b.exited(s, "init", 0, 143)
	if c := find(b, s, "late"); c.Running || c.ExitCode != nil {
		b.Errorf("got %+v of a container that was never started", c)
	}
	endedSince(b, s, begin)
	b.unknown(spec.ID)
}

// endedSince checks the times of a task's end.
func endedSince(b *bench, s model.RunState, begin time.Time) {
	b.Helper()
	if s.StoppingAt.Before(begin) || s.StoppedAt.Before(s.StoppingAt) || time.Now().Before(s.StoppedAt) {
		b.Errorf("got stopping at %s, stopped at %s of a task of %s", s.StoppingAt, s.StoppedAt, begin)
	}
}

// endless is a task whose start never comes to its end.
func (b *bench) endless() model.TaskSpec {
	init := b.container("init", "wait")
	init.Essential = false
	return task(init, after(b.container("app", "wait"), "init", "COMPLETE"))
}

// outcome is what Start returned.
type outcome struct {
	state model.RunState
	err   error
}

// startInBackground returns when the engine knows the task.
func (b *bench) startInBackground(ctx context.Context, spec model.TaskSpec) <-chan outcome {
	b.Helper()
	result := make(chan outcome, 1)
	go func() {
		s, err := b.engine.Start(ctx, spec)
		result <- outcome{s, err}
	}()
	b.until("the engine knows the task", func() bool {
		return model.KindOf(b.engine.Forget(context.WithoutCancel(ctx), spec.ID)) == model.Conflict
	})
	return result
}

func stopAbortsAStart(b *bench) {
	spec := b.endless()
	result := b.startInBackground(b.Context(), spec)
	if got := b.known(); len(got) > 0 {
		b.Errorf("got %+v while the task starts", got)
	}
	b.stop(spec.ID)
	if got := <-result; !errors.Is(got.err, runtime.ErrStopped) || got.state.Running {
		b.Errorf("got %+v, %v, want ErrStopped", got.state, got.err)
	}
	b.unknown(spec.ID)
}

func cancelAbortsAStart(b *bench) {
	spec, why := b.endless(), errors.New("enough of it")
	ctx, cancel := context.WithCancelCause(b.Context())
	result := b.startInBackground(ctx, spec)
	cancel(why)
	if got := <-result; !errors.Is(got.err, why) || got.state.Running {
		b.Errorf("got %+v, %v, want %v", got.state, got.err, why)
	}
	b.unknown(spec.ID)
}

func closeAbortsAStart(b *bench) {
	spec := b.endless()
	result := b.startInBackground(b.Context(), spec)
	closed := b.engine
	b.close()
	if got := <-result; model.KindOf(got.err) != model.Unavailable || got.state.Running {
		b.Errorf("got %+v, %v, want an error of kind Unavailable", got.state, got.err)
	}
	_, err := closed.Start(b.Context(), spec)
	b.refused("start after Close", err, model.Unavailable, runtime.CodeResource)
	b.open()
	b.unknown(spec.ID)
}

// stopAtAnyMoment stops tasks at many moments of their start: each either
// starts and ends, or does not start.
func stopAtAnyMoment(b *bench) {
	var aborted []string
	for i := range 12 {
		spec := task(b.container("app", "wait"))
		result := b.startInBackground(b.Context(), spec)
		timer := time.NewTimer(time.Duration(i) * 3 * time.Millisecond)
		<-timer.C
		b.stop(spec.ID)
		got := <-result
		switch {
		case errors.Is(got.err, runtime.ErrStopped):
			aborted = append(aborted, spec.ID)
		case got.err != nil:
			b.Errorf("got %v, want ErrStopped or none", got.err)
		default:
			b.ended(spec.ID)
			b.endedOnce(spec.ID)
		}
	}
	b.unknown(aborted...)
}
