package runtimetest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

// killed is the exit code of what SIGKILL ended.
const killed = 137

func stopWithoutItsCaller(b *bench) {
	spec := task(b.container("app", "stubborn"))
	spec.Containers[0].StopTimeout = 200 * time.Millisecond
	b.start(spec)
	b.ready(spec, "app")
	ctx, cancel := context.WithTimeout(b.Context(), time.Millisecond)
	defer cancel()
	if err := b.engine.Stop(ctx, spec.ID, time.Hour); err == nil {
		b.Error("got no error of a Stop whose caller went")
	}
	b.exited(b.ended(spec.ID), "app", killed)
}

func stubborn(b *bench) {
	for _, c := range []struct{ own, others time.Duration }{{50 * time.Millisecond, time.Hour}, {0, 50 * time.Millisecond}} {
		spec := task(b.container("app", "stubborn"))
		spec.Containers[0].StopTimeout = c.own
		b.start(spec)
		b.ready(spec, "app")
		b.within("the task is stopped", func() {
			if err := b.engine.Stop(b.Context(), spec.ID, c.others); err != nil {
				b.Error(err)
			}
		})
		b.exited(b.ended(spec.ID), "app", killed)
	}
}

// killEndsAStop has a task that does not heed its stop signal end all the same.
func killEndsAStop(b *bench) {
	spec := task(b.container("app", "stubborn"))
	b.start(spec)
	b.ready(spec, "app")
	stopped := make(chan error, 1)
	go func() { stopped <- b.engine.Stop(b.Context(), spec.ID, time.Hour) }()
	for range 2 {
		if err := b.engine.Kill(b.Context(), spec.ID); err != nil {
			b.Fatal(err)
		}
	}
	if err := <-stopped; err != nil {
		b.Error(err)
	}
	b.exited(b.ended(spec.ID), "app", killed)
	b.endedOnce(spec.ID)
	if err := b.engine.Kill(b.Context(), "unknown"); err != nil {
		b.Errorf("an unknown task: %v", err)
	}
}

func killAbortsAStart(b *bench) {
	spec := b.endless()
	result := b.startInBackground(b.Context(), spec)
	if err := b.engine.Kill(b.Context(), spec.ID); err != nil {
		b.Error(err)
	}
	if got := <-result; !errors.Is(got.err, runtime.ErrStopped) || got.state.Running {
		b.Errorf("got %+v, %v, want ErrStopped", got.state, got.err)
	}
	b.unknown(spec.ID)
}

func endsAtOnce(b *bench) {
	for range 5 {
		spec := task(b.container("app", "exit", "4"))
		s := b.start(spec)
		if !s.Running {
			b.exited(s, "app", 4)
		}
		b.exited(b.ended(spec.ID), "app", 4)
		b.endedOnce(spec.ID)
	}
}

func essentialContainerEnds(b *bench) {
	// The side must be ready when it is stopped, or its code is the kernel's.
	app := after(b.container("app", "exit", "7", "100"), "side", "HEALTHY")
	spec := task(app, b.checked(b.container("side", "wait"), "0"))
	b.start(spec)
	end := b.ended(spec.ID)
	b.exited(end, "app", 7)
	b.exited(end, "side", 0, 143)
	b.endedOnce(spec.ID)
	first, second := find(b, end, "side"), find(b, end, "app")
	b.lasted(first)
	b.lasted(second)
	if second.CreatedAt.Before(first.StartedAt) {
		b.Errorf("app, which waits for side, was made at %s; side started at %s", second.CreatedAt, first.StartedAt)
	}
}

// lasted requires the times of a container that has ended, in order.
func (b *bench) lasted(c model.ContainerState) {
	b.Helper()
	if c.CreatedAt.IsZero() || c.StartedAt.Before(c.CreatedAt) || c.FinishedAt.Before(c.StartedAt) {
		b.Errorf("container %s was made at %s, started at %s and ended at %s", c.Name, c.CreatedAt, c.StartedAt, c.FinishedAt)
	}
}

func containerEnds(b *bench) {
	side := b.container("side", "exit", "3", "300")
	side.Essential = false
	spec := task(side, b.container("app", "wait"))
	s := b.start(spec)
	told := 0
	if find(b, s, "side").Running {
		e := b.await(spec.ID, "the container's end is told", func(e runtime.Event) bool { return e.Kind == runtime.ContainerEnded })
		if e.Container != "side" || !e.State.Running || !find(b, e.State, "app").Running {
			b.Errorf("got %+v, want the end of side alone", e)
		}
		s, told = e.State, 1
	}
	b.exited(s, "side", 3)
	b.lasted(find(b, s, "side"))
	if app := find(b, s, "app"); app.StartedAt.IsZero() || !app.FinishedAt.IsZero() {
		b.Errorf("app, which runs, started at %s and ended at %s", app.StartedAt, app.FinishedAt)
	}
	b.stop(spec.ID)
	end := b.ended(spec.ID)
	b.exited(end, "side", 3)
	b.lasted(find(b, end, "app"))
	if was, is := find(b, s, "side").FinishedAt, find(b, end, "side").FinishedAt; !is.Equal(was) {
		b.Errorf("side ended at %s, and later at %s", was, is)
	}
	b.endedOnce(spec.ID)
	if got := b.count(spec.ID, "side"); got != told {
		b.Errorf("the end of side was told %d times, want %d", got, told)
	}
}

// checked adds a health check that ends with a code.
func (b *bench) checked(c model.ContainerSpec, code string) model.ContainerSpec {
	c.HealthCheck = &model.ContainerHealthCheck{
		Command: []string{"CMD", b.Program, "exit", code}, Interval: 50 * time.Millisecond, Timeout: 10 * time.Second, Retries: 2,
	}
	return c
}

func health(b *bench) {
	spec := task(b.checked(b.container("well", "wait"), "0"), b.checked(b.container("ill", "wait"), "1"))
	s := b.start(spec)
	for name, want := range map[string]string{"well": "HEALTHY", "ill": "UNHEALTHY"} {
		if find(b, s, name).Health == want {
			continue // it was before all containers had been started
		}
		e := b.await(spec.ID, name+" is "+want, func(e runtime.Event) bool {
			return e.Kind == runtime.HealthChanged && e.Container == name
		})
		if got := find(b, e.State, name).Health; got != want {
			b.Errorf("container %s: got %s, want %s", name, got, want)
		}
	}
	later := task(b.checked(b.container("well", "wait"), "0"), after(b.container("app", "wait"), "well", "HEALTHY"))
	if s := b.start(later); find(b, s, "well").Health != "HEALTHY" {
		b.Errorf("got %+v, want the dependency healthy", s)
	}
	b.stop(spec.ID)
	b.stop(later.ID)
}

func forgetDropsEvents(b *bench) {
	b.silence()
	spec := task(b.container("app", "exit", "0"))
	b.start(spec)
	b.stop(spec.ID)
	if err := b.engine.Forget(b.Context(), spec.ID); err != nil {
		b.Fatal(err)
	}
	b.listen()
	b.flush()
	if got := b.feed.of(spec.ID); len(got) > 0 {
		b.Errorf("got %v of a forgotten task", got)
	}
}

// eventsWait takes no events for a while: none is lost, and each comes once.
func eventsWait(b *bench) {
	b.silence()
	spec := task(b.container("app", "wait"))
	b.start(spec)
	b.stop(spec.ID)
	b.listen()
	b.ended(spec.ID)
	b.silence()
	b.listen()
	b.flush()
	if got := b.feed.of(spec.ID); len(got) > 0 {
		b.Errorf("got %v a second time", got)
	}
}

func crash(b *bench) {
	spec := task(b.container("app", "wait"))
	b.start(spec)
	if err := b.Crash(spec.ID); err != nil {
		b.Fatal(err)
	}
	end := b.ended(spec.ID)
	b.exited(end, "app", killed)
	b.failed(end)
	b.endedOnce(spec.ID)
}

// failed checks that no container is to blame for the end of a task that ran.
func (b *bench) failed(s model.RunState) {
	b.Helper()
	if s.Failure == nil || s.Failure.Code != runtime.CodeInternal || s.StartedAt.IsZero() {
		b.Errorf("got %+v of a task that the machine failed, want %s", s, runtime.CodeInternal)
	}
}

func recoverTasks(b *bench) {
	runs, ended, crashes := task(b.container("app", "wait")), task(b.container("app", "exit", "5")), task(b.container("app", "wait"))
	state := b.start(runs)
	b.start(ended)
	b.start(crashes)
	b.ended(ended.ID)
	b.ready(runs, "app")
	b.close()
	if err := b.Crash(crashes.ID); err != nil {
		b.Fatal(err)
	}
	b.open()
	all := b.known()
	if len(all) != 3 {
		b.Fatalf("got %+v, want three tasks", all)
	}
	for _, s := range all {
		switch s.ID {
		case runs.ID:
			if diff := cmp.Diff(state, s); diff != "" {
				b.Errorf("the running task: %s", diff)
			}
		case ended.ID:
			b.exited(s, "app", 5)
		case crashes.ID:
			b.exited(s, "app", killed)
			b.failed(s)
		}
		if s.Running != (s.ID == runs.ID) {
			b.Errorf("got %+v", s)
		}
	}
	_, err := b.engine.Start(b.Context(), runs)
	b.refused("start a task of the process before", err, model.Conflict, runtime.CodeResource)
	b.stop(runs.ID)
	b.exited(b.ended(runs.ID), "app", 0, 143)
	b.endedOnce(runs.ID)
	for _, id := range []string{ended.ID, crashes.ID} {
		if got := b.feed.of(id); len(got) > 0 {
			b.Errorf("got events %v of a task that had ended before", got)
		}
		if err := b.engine.Forget(b.Context(), id); err != nil {
			b.Error(err)
		}
	}
}

func output(b *bench) {
	words := []string{"one", "two", "three"}
	spec := task(b.container("app", append([]string{"print"}, words...)...))
	b.start(spec)
	b.ended(spec.ID)
	b.until("the output has arrived", func() bool {
		return slices.Equal(b.Lines(logGroup, stream(spec, "app")), words)
	})
}

func samples(b *bench) {
	if c := b.engine.Capabilities(); c.CPUUnits <= 0 || c.MemoryMiB <= 0 {
		b.Errorf("got %+v, want a machine with CPU and memory", c)
	}
	if a := b.engine.Architectures(); len(a) == 0 || slices.Contains(a, "") {
		b.Errorf("got architectures %q, want the machine's own and perhaps others", a)
	}
	one, two := task(b.container("app", "wait")), task(b.container("app", "wait"))
	b.start(one)
	b.start(two)
	var last time.Duration
	for range 20 {
		got := b.engine.Samples()
		i := slices.IndexFunc(got, func(s model.Sample) bool { return s.TaskID == one.ID })
		if len(got) != 2 || i < 0 {
			b.Fatalf("got %+v, want one of each task", got)
		}
		if got[i].CPU < last || got[i].At.IsZero() || got[i].Memory < 0 {
			b.Errorf("got %+v after %s", got[i], last)
		}
		last = got[i].CPU
	}
	usage, ok := b.engine.Usage(one.ID)
	if !ok || usage.TaskID != one.ID || usage.At.IsZero() || len(usage.Containers) != 1 {
		b.Fatalf("got %+v, %v, want the usage of one container", usage, ok)
	}
	if c := usage.Containers[0]; c.Name != "app" || !c.Running || c.Memory < 0 || c.MemoryLimit != int64(one.MemoryMiB)<<20 {
		b.Errorf("got %+v of a container that runs", c)
	}
	b.stop(one.ID)
	if got, ok := b.engine.Usage(one.ID); ok {
		b.Errorf("got %+v of a task that has ended", got)
	}
	if got := b.engine.Samples(); len(got) != 1 || got[0].TaskID != two.ID {
		b.Errorf("got %+v, want that of the task that runs", got)
	}
	b.stop(two.ID)
}

func digests(b *bench) {
	digest, err := b.engine.Resolve(b.Context(), runtime.Image{Reference: b.Image})
	if err != nil || digest != b.Digest {
		b.Errorf("got %s, %v, want %s", digest, err, b.Digest)
	}
	if _, err := b.engine.Resolve(b.Context(), runtime.Image{Reference: b.MissingImage}); true {
		b.refused("resolve a missing image", err, model.KindOf(err), runtime.CodePull)
	}
	spec := task(b.container("app", "exit", "0"))
	spec.Containers[0].ImageDigest = digest
	if got := find(b, b.start(spec), "app").ImageDigest; got != digest {
		b.Errorf("got %s of a start with %s", got, digest)
	}
}

// manyAtOnce runs tasks at the same time: each has an address of its own.
func manyAtOnce(b *bench) {
	specs := make([]model.TaskSpec, 8)
	each := func(do func(model.TaskSpec) error) {
		var group errgroup.Group
		for _, s := range specs {
			group.Go(func() error { return do(s) })
		}
		if err := group.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	for i := range specs {
		specs[i] = task(b.container("app", "wait"))
	}
	each(func(s model.TaskSpec) error {
		_, err := b.engine.Start(b.Context(), s)
		return err
	})
	addresses := map[string]bool{}
	for _, s := range b.known() {
		addresses[s.IP] = true
	}
	if len(addresses) != len(specs) {
		b.Errorf("got addresses %v of %d tasks", addresses, len(specs))
	}
	each(func(s model.TaskSpec) error { return b.engine.Stop(b.Context(), s.ID, time.Second) })
	for _, s := range specs {
		b.ended(s.ID)
		b.endedOnce(s.ID)
	}
}
