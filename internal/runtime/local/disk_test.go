package local

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"neargate/internal/model"
	"neargate/internal/runtime/local/disk"
	"neargate/internal/runtime/local/supervisor"
)

// TestTaskThatWritesTooMuchEnds: with the reason, and its disk is free again;
// also while no server runs.
func TestTaskThatWritesTooMuchEnds(t *testing.T) {
	for _, server := range []string{"with a server", "without a server"} {
		t.Run(server, func(t *testing.T) {
			b := open(t)
			s := spec("fill", "3000")
			s.EphemeralGiB = 1
			b.run(s)
			if server == "without a server" {
				b.close()
				time.Sleep(5 * time.Second)
				b.open()
			}
			state := endOf(b, s.ID)
			if state == nil {
				t.Fatal("the task writes on")
			}
			if c := state.Containers[0]; code(*state, 0) != "137" || !strings.HasPrefix(c.Reason, supervisor.ReasonDisk+": ") || !strings.HasSuffix(c.Reason, "ephemeral storage of 1 GiB") {
				t.Errorf("exit code %s because of %q", code(*state, 0), c.Reason)
			}
			used, _, err := disk.Used(filepath.Join(b.dir, "runtime"))
			if err != nil || used > 100<<20 {
				t.Errorf("%d MiB stay behind, %v", used>>20, err)
			}
		})
	}
}

// TestDiskUseIsReported: what a task wrote is in its usage, also where it was
// measured before the server was there.
func TestDiskUseIsReported(t *testing.T) {
	b := open(t)
	s := spec("fill", "700") // MiB, of 1 GiB: enough to be measured at once
	s.EphemeralGiB = 1
	b.run(s)
	reported := func() bool {
		u, ok := b.Usage(s.ID)
		return ok && u.DiskUsed > 400<<20 && u.DiskUsed < 1<<30
	}
	eventually(t, "what it wrote is reported", reported)
	b.close()
	b.open()
	eventually(t, "the next server knows it", reported)
}

// TestFullDiskEndsTheTaskThatFilledIt: before nothing of the server's can be
// written any more, and no other task.
func TestFullDiskEndsTheTaskThatFilledIt(t *testing.T) {
	needsRoot(t)
	for name, row := range map[string]struct{ options, fill string }{
		"with bytes": {"size=128m", "fill"},
		"with files": {"size=128m,nr_inodes=2000", "litter"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := unix.Mount("tmpfs", dir, "tmpfs", 0, row.options); err != nil {
				t.Skip("needs a tmpfs: " + err.Error())
			}
			t.Cleanup(func() {
				if err := unix.Unmount(dir, 0); err != nil {
					t.Error(err)
				}
			})
			b := openAt(t, dir)
			quiet, hog := spec("idle"), spec(row.fill, "5000")
			hog.MemoryMiB = 512 // the disk is memory here
			b.run(quiet)
			b.run(hog)
			state := b.exit()
			if state.ID != hog.ID || state.Containers[0].Reason != supervisor.ReasonDisk+": the machine's disk is full" {
				t.Errorf("task %s ended because of %q, want %s", state.ID, state.Containers[0].Reason, hog.ID)
			}
			eventually(t, "room is free again", func() bool {
				room, err := disk.Room(dir)
				return err == nil && room.Free > room.Size/2 && room.FreeFiles > room.Files/2
			})
			if samples := b.Samples(); len(samples) != 1 || samples[0].TaskID != quiet.ID {
				t.Errorf("running: %v, want the quiet task", samples)
			}
		})
	}
}

// endOf waits for the end of a task, which may have come before the engine was
// opened; nil when it does not come.
func endOf(b *testBench, id string) *model.RunState {
	b.t.Helper()
	states, err := b.Recover(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range states {
		if s.ID == id && !s.Running {
			return &s
		}
	}
	s := b.exit()
	return &s
}

// TestHiddenWritesAreFound: neither files without a name, nor files below more
// directories than a path can name, hide what a task writes; and what is left
// of it is removed.
func TestHiddenWritesAreFound(t *testing.T) {
	for _, how := range []string{"unlinked", "deep"} {
		t.Run(how, func(t *testing.T) {
			b := open(t)
			s := spec("hide", how, "3000")
			s.EphemeralGiB = 1
			b.run(s)
			state := b.exit()
			if c := state.Containers[0]; code(state, 0) != "137" || !strings.HasPrefix(c.Reason, supervisor.ReasonDisk+": ") {
				t.Errorf("exit code %s because of %q", code(state, 0), c.Reason)
			}
			b.close()
			b.open() // finds nothing that it cannot remove
			if err := b.Forget(t.Context(), s.ID); err != nil {
				t.Error(err)
			}
			used, _, err := disk.Used(filepath.Join(b.dir, "runtime"))
			if err != nil || used > 100<<20 {
				t.Errorf("%d MiB stay behind, %v", used>>20, err)
			}
		})
	}
}
