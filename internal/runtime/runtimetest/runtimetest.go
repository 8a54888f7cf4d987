// Package runtimetest holds the contract of package runtime as tests. Every
// engine runs them against a Harness of its own.
//
// The tasks of the tests run one small program by its commands:
//
//	wait             runs until its stop signal, and ends with 0 or 143 then
//	stubborn         ignores its stop signal
//	exit CODE [MS]   ends with CODE, after MS milliseconds
//	print WORD...    prints a line for each word, and ends with 0
//	copy             copies its input to its output, and ends with 0
//	window           prints its terminal's rows and columns, and again when they change,
//	                 until its input is "end"
//	write FILE TEXT  writes a file, and ends with 0, or with 1 where it cannot
//	read FILE        prints what a file has as a line, and ends likewise
//
// The first two print "ready" when they are.
package runtimetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

// Harness is a kind of engine and the world around it.
type Harness struct {
	// Open opens an engine on what the last one it opened, which has been
	// closed, left behind.
	Open func(ctx context.Context) (runtime.Engine, error)
	// Image names an image whose entry point is the program, Digest is that of
	// its manifest, and Program is the program's path in it.
	Image, Digest, Program string
	// MissingImage names no image.
	MissingImage string
	// Lines returns what the engine's sink has taken of a stream.
	Lines func(group, stream string) []string
	// Crash ends a task as a fault of the machine would, whether an engine is
	// open or not. It is gone when Crash returns.
	Crash func(task string) error
}

// limit bounds every wait of the tests. None should come near it.
const limit = time.Minute

// Run tests the engines that the harnesses of a function open, one for each test.
// The harness cleans up by itself after its test.
func Run(t *testing.T, harness func(t *testing.T) *Harness) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*bench)
	}{
		{"StartAndStop", startAndStop},
		{"RefusedSpecs", refusedSpecs},
		{"RefusedIDs", refusedIDs},
		{"StartErrors", startErrors},
		{"FailedDependency", failedDependency},
		{"FailedStartStops", failedStartStops},
		{"StopAbortsAStart", stopAbortsAStart},
		{"CancelAbortsAStart", cancelAbortsAStart},
		{"CloseAbortsAStart", closeAbortsAStart},
		{"StopAtAnyMoment", stopAtAnyMoment},
		{"StopWithoutItsCaller", stopWithoutItsCaller},
		{"Stubborn", stubborn},
		{"EndsAtOnce", endsAtOnce},
		{"KillEndsAStop", killEndsAStop},
		{"KillAbortsAStart", killAbortsAStart},
		{"EssentialContainerEnds", essentialContainerEnds},
		{"EssentialContainerEndsEarly", essentialContainerEndsEarly},
		{"ContainerEnds", containerEnds},
		{"ContainerStartsAgain", containerStartsAgain},
		{"ContainersShareVolumes", containersShareVolumes},
		{"Health", health},
		{"ForgetDropsEvents", forgetDropsEvents},
		{"EventsWait", eventsWait},
		{"Crash", crash},
		{"Recover", recoverTasks},
		{"Output", output},
		{"Samples", samples},
		{"Exec", exec},
		{"ExecInput", execInput},
		{"ExecWindow", execWindow},
		{"ExecEnds", execEnds},
		{"ExecOutputFails", execOutputFails},
		{"ExecRefused", execRefused},
		{"ExecBounded", execBounded},
		{"ExecAfterRecover", execAfterRecover},
		{"Digests", digests},
		{"ManyAtOnce", manyAtOnce},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &bench{T: t, Harness: harness(t)}
			b.open()
			t.Cleanup(b.close)
			c.test(b)
		})
	}
}

// bench is an open engine.
type bench struct {
	*testing.T
	*Harness
	engine runtime.Engine
	feed   *feed
	end    func() // closes the engine; nil: it is closed
}

func (b *bench) open() {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	e, err := b.Open(ctx)
	if err != nil {
		cancel()
		b.Fatal(err)
	}
	b.engine = e
	served := make(chan error, 1)
	go func() { served <- e.Serve(ctx) }()
	b.end = func() {
		b.silence()
		cancel()
		if err := <-served; err != nil {
			b.Error(err)
		}
		if err := e.Close(ctx); err != nil { // works also when ctx has ended
			b.Error(err)
		}
	}
	if _, err := e.Recover(ctx); err != nil {
		b.Fatal(err)
	}
	b.listen()
}

// close closes the engine, and fails when that takes too long.
func (b *bench) close() {
	if b.end == nil {
		return
	}
	b.within("the engine is closed", b.end)
	b.end = nil
}

// within waits for the end of do.
func (b *bench) within(what string, do func()) {
	b.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(limit):
		b.Fatalf("not within %s: %s", limit, what)
	}
}

// until polls for something that no event tells.
func (b *bench) until(what string, holds func() bool) {
	b.Helper()
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for deadline := time.Now().Add(limit); !holds(); <-pause.C {
		if time.Now().After(deadline) {
			b.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// container returns an essential container that runs a command of the program.
func (b *bench) container(name string, command ...string) model.ContainerSpec {
	return model.ContainerSpec{
		ContainerDefinition: model.ContainerDefinition{Name: name, Image: b.Image, Essential: true, Command: command},
		LogGroup:            logGroup,
	}
}

// task returns a task of these containers.
func task(containers ...model.ContainerSpec) model.TaskSpec {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	spec := model.TaskSpec{
		ID: hex.EncodeToString(id[:]), Name: "test", CPUUnits: 512, MemoryMiB: 128,
		Labels: map[string]string{"for": "test"}, Containers: containers,
	}
	for i := range containers {
		containers[i].LogStream = stream(spec, containers[i].Name)
	}
	return spec
}

// logGroup is where all containers print to.
const logGroup = "/engine/test"

// stream is where one container prints to.
func stream(spec model.TaskSpec, container string) string { return spec.ID + "/" + container }

// ready waits until containers mind their stop signals.
func (b *bench) ready(spec model.TaskSpec, containers ...string) {
	b.Helper()
	for _, name := range containers {
		b.until(name+" is ready", func() bool { return slices.Contains(b.Lines(logGroup, stream(spec, name)), "ready") })
	}
}

// after has c wait for a condition of another container.
func after(c model.ContainerSpec, on, condition string) model.ContainerSpec {
	c.DependsOn = []model.Dependency{{Container: on, Condition: condition}}
	return c
}

func (b *bench) start(spec model.TaskSpec) model.RunState {
	b.Helper()
	s, err := b.engine.Start(b.Context(), spec)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func (b *bench) stop(id string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), limit)
	defer cancel()
	if err := b.engine.Stop(ctx, id, time.Second); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) known() []model.RunState {
	b.Helper()
	all, err := b.engine.Recover(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return all
}

// refused checks an error of the contract.
func (b *bench) refused(what string, err error, kind model.Kind, code string) {
	b.Helper()
	m, ok := errors.AsType[*model.Error](err)
	if !ok || m.Kind != kind || m.Code != code {
		b.Errorf("%s: got %v, want code %s and kind %d", what, err, code, kind)
	}
}

// unknown checks that nothing is left of tasks, and that they had no event.
func (b *bench) unknown(ids ...string) {
	b.Helper()
	b.flush()
	for _, id := range ids {
		b.unknownNow(id)
	}
}

func (b *bench) unknownNow(id string) {
	b.Helper()
	if got := b.feed.of(id); len(got) > 0 {
		b.Errorf("got events %v of a task that did not start", got)
	}
	for _, s := range b.known() {
		if s.ID == id {
			b.Errorf("got %+v of a task that did not start", s)
		}
	}
	for _, s := range b.engine.Samples() {
		if s.TaskID == id {
			b.Errorf("got %+v of a task that did not start", s)
		}
	}
}

func find(b *bench, s model.RunState, name string) model.ContainerState {
	b.Helper()
	for _, c := range s.Containers {
		if c.Name == name {
			return c
		}
	}
	b.Fatalf("got %+v, want a container %s in it", s, name)
	return model.ContainerState{}
}

// exited checks a container's exit code.
func (b *bench) exited(s model.RunState, name string, codes ...int) {
	b.Helper()
	c := find(b, s, name)
	if c.Running || c.ExitCode == nil {
		b.Errorf("container %s: got %+v, want it to have ended", name, c)
		return
	}
	if slices.Contains(codes, *c.ExitCode) {
		return
	}
	b.Errorf("container %s: got exit code %d, want one of %v", name, *c.ExitCode, codes)
}
