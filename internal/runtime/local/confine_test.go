package local

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime/local/confine"
)

// enforced is the label of a process under the profile.
const enforced = confine.Profile + " (enforce)"

func needsAppArmor(t *testing.T) *confine.AppArmor {
	t.Helper()
	needsRoot(t)
	a := confine.New(profileMark)
	if !a.Enabled() {
		t.Skip("needs a kernel with AppArmor")
	}
	return a
}

func loaded(t *testing.T, a *confine.AppArmor) bool {
	t.Helper()
	yes, err := a.Loaded()
	if err != nil {
		t.Fatal(err)
	}
	return yes
}

// TestAppArmorConfines: root with all its capabilities writes only what belongs
// to processes in /proc, and is not kept from what a task does among its own.
func TestAppArmorConfines(t *testing.T) {
	needsAppArmor(t)
	// Nothing but the profile would refuse it: the file opens for root.
	f, err := os.OpenFile("/proc/version", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	b := open(t)
	_, got := b.output(spec("restricted"))
	for _, want := range []string{
		"label " + enforced,
		"write open /proc/version: permission denied", "write open /proc/tty/drivers: permission denied",
		"own <nil>", "exec <nil>", "attach <nil>", "traced <nil> true", "detach <nil>", "kill <nil>", "end signal: killed",
	} {
		has(t, got, want)
	}
	if t.Failed() {
		t.Log(got)
	}
}

// TestAppArmorConfinesHealthChecks: they join the container.
func TestAppArmorConfinesHealthChecks(t *testing.T) {
	needsAppArmor(t)
	b := open(t)
	s := spec("idle")
	s.Containers[0].HealthCheck = &model.ContainerHealthCheck{
		Command: []string{"CMD", "/guest", "label", enforced}, Interval: 10 * time.Millisecond, Retries: 10,
	}
	b.run(s)
	if e := <-b.events; e.State.Containers[0].Health != "HEALTHY" {
		t.Errorf("the check of its own label: %+v", e)
	}
	if err := b.Stop(t.Context(), s.ID, time.Millisecond); err != nil {
		t.Error(err)
	}
}

// TestAppArmorProfileTakenAway: a task runs confined or not at all.
func TestAppArmorProfileTakenAway(t *testing.T) {
	a := needsAppArmor(t)
	b := open(t)
	if err := a.Unload(); err != nil || loaded(t, a) {
		t.Fatalf("take the profile away: %v", err)
	}
	_, got := b.output(spec("restricted"))
	has(t, got, "label "+enforced)
}

// TestAppArmorProfileGoesWithLastInstance, and not while tasks run under it.
func TestAppArmorProfileGoesWithLastInstance(t *testing.T) {
	a := needsAppArmor(t)
	b := open(t)
	b.run(spec("idle"))
	b.close()
	if !loaded(t, a) {
		t.Error("a task runs, and its profile is gone")
	}
	if err := Cleanup(t.Context(), b.dir); err != nil {
		t.Fatal(err)
	}
	machine, err := lockMachine()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = machine.Close() }()
	if others := instances(); len(others) == 0 && loaded(t, a) {
		t.Error("no instance is left, and the profile is still there")
	}
}

// TestSELinuxLabels: each task has its own, and a server does not start that
// cannot give them.
func TestSELinuxLabels(t *testing.T) {
	needsRoot(t)
	cfg := Config{DataDir: t.TempDir(), SELinux: true}
	e, err := Open(t.Context(), cfg, &fakeImages{}, &fakeLogs{}, discard())
	if err != nil {
		m, ok := errors.AsType[*Missing](err)
		if !ok || !strings.Contains(m.What, "SELinux") || m.Hint == "" || len(entriesOf(cfg.DataDir)) > 0 {
			t.Fatalf("open: %v, want a *Missing that names SELinux", err)
		}
		t.Skip("the rest needs SELinux, and its policy for containers")
	}
	t.Cleanup(func() {
		if err := errors.Join(e.Close(context.Background()), Cleanup(context.Background(), cfg.DataDir)); err != nil {
			t.Error(err)
		}
	})
	labels := map[string]bool{}
	for range 2 {
		s := spec("idle")
		state, err := e.Start(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		rec := e.task(state.ID).rec
		if !strings.Contains(rec.Labels.Process, ":container_t:") || labels[rec.Labels.Process] {
			t.Errorf("a task has the labels %+v beside %v", rec.Labels, labels)
		}
		labels[rec.Labels.Process] = true
		defer func() {
			if err := e.Stop(t.Context(), s.ID, time.Millisecond); err != nil {
				t.Error(err)
			}
		}()
	}
}

func entriesOf(dir string) []string {
	entries, _ := filepath.Glob(filepath.Join(dir, "runtime/*.json")) // the pattern is sound
	return entries
}
