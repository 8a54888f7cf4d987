package runtimetest

import (
	"slices"
	"time"

	"neargate/internal/model"
)

// containersShareVolumes: what one writes another reads, where it may, at its own
// place; another task has nothing of it.
func containersShareVolumes(b *bench) {
	at := func(c model.ContainerSpec, volume, path string, readonly bool) model.ContainerSpec {
		c.Essential = false
		c.MountPoints = []model.MountPoint{{Volume: volume, Path: path, ReadOnly: readonly}}
		return c
	}
	from := func(c model.ContainerSpec, other string, readonly bool) model.ContainerSpec {
		c.Essential = false
		c.VolumesFrom = []model.VolumesFrom{{Container: other, ReadOnly: readonly}}
		return c
	}
	spec := task(
		at(b.container("writer", "write", "/out/file", "hello"), "data", "/out", false),
		after(at(b.container("reader", "read", "/in/file"), "data", "/in", true), "writer", "COMPLETE"),
		after(at(b.container("spoiler", "write", "/in/file", "spoiled"), "data", "/in", true), "reader", "COMPLETE"),
		after(from(b.container("taker", "read", "/out/file"), "writer", false), "spoiler", "COMPLETE"),
		after(from(b.container("thief", "write", "/out/file", "stolen"), "writer", true), "taker", "COMPLETE"),
		after(at(b.container("other", "read", "/in/file"), "empty", "/in", false), "thief", "COMPLETE"),
		after(b.container("app", "wait"), "other", "COMPLETE"),
	)
	spec.Volumes = []model.Volume{{Name: "data"}, {Name: "empty"}}
	s := b.start(spec)
	for name, code := range map[string]int{"writer": 0, "reader": 0, "spoiler": 1, "taker": 0, "thief": 1, "other": 1} {
		b.exited(s, name, code)
	}
	for _, name := range []string{"reader", "taker"} {
		b.until(name+" has printed", func() bool { return slices.Equal(b.Lines(logGroup, stream(spec, name)), []string{"hello"}) })
	}
	again := task(at(b.container("reader", "read", "/in/file"), "data", "/in", false), after(b.container("app", "wait"), "reader", "COMPLETE"))
	again.Volumes = spec.Volumes
	b.exited(b.start(again), "reader", 1)
	b.stop(spec.ID)
	b.stop(again.ID)
}

// containerStartsAgain: by its policy, in a task that goes on; its ends in
// between are not told.
func containerStartsAgain(b *bench) {
	side := b.container("side", "exit", "3", "50")
	side.Essential, side.Restart = false, &model.RestartPolicy{IgnoredExitCodes: []int{0}}
	early := side
	early.Name, early.Restart = "early", &model.RestartPolicy{AttemptPeriod: time.Hour}
	done := side
	done.Name, done.Restart = "done", &model.RestartPolicy{IgnoredExitCodes: []int{3}}
	spec := task(side, early, done, b.container("app", "wait"))
	b.start(spec)
	state := func() model.RunState {
		all := b.known()
		return all[slices.IndexFunc(all, func(s model.RunState) bool { return s.ID == spec.ID })]
	}
	b.until("the container has started again twice", func() bool { return find(b, state(), "side").RestartCount >= 2 })
	for _, name := range []string{"early", "done"} {
		b.until(name+" has ended", func() bool { return find(b, state(), name).ExitCode != nil })
		if c := find(b, state(), name); c.RestartCount != 0 || *c.ExitCode != 3 {
			b.Errorf("container %s: got %+v, want its end", name, c)
		}
	}
	b.stop(spec.ID)
	end := b.ended(spec.ID)
	if c := find(b, end, "side"); c.Running || c.ExitCode == nil || c.RestartCount < 2 {
		b.Errorf("got %+v, want its end with the task's", c)
	}
	if got := b.count(spec.ID, "side"); got > 1 { // the one with its task's
		b.Errorf("the end of side was told %d times", got)
	}
}
