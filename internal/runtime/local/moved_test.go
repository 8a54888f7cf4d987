package local

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestCopyLeavesTheOriginalsTasksAlone: whoever restores a backup beside a
// server, or tries its copy, must not end what runs; nor may a cleanup of it.
func TestCopyLeavesTheOriginalsTasksAlone(t *testing.T) {
	b := open(t)
	s := spec("serve")
	state := b.run(s)
	copied := filepath.Join(t.TempDir(), "copy")
	if out, err := exec.Command("cp", "-a", b.dir, copied).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := Cleanup(t.Context(), copied); err == nil {
		t.Error("the copy was cleaned up, the original runs")
	}
	for _, running := range []bool{true, false} {
		if !running {
			b.close()
		}
		e, err := Open(t.Context(), Config{DataDir: copied}, b.images, b.logs, discard())
		if err != nil {
			t.Fatalf("open the copy, the original running %v: %v", running, err)
		}
		if e.id == b.id {
			t.Error("the copy has the identity of the original")
		}
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if got := get(t, "http://"+state.IP+":8080/"); got == "" {
			t.Error("the original's task does not answer")
		}
	}
	if err := Cleanup(context.Background(), copied); err != nil {
		t.Error(err)
	}
	b.open()
	if err := b.Stop(t.Context(), s.ID, time.Second); err != nil {
		t.Error(err)
	}
}

// TestMovedDirectoryKeepsItsTasks: they write to where it was, so it is refused
// until they have ended, and they run on.
func TestMovedDirectoryKeepsItsTasks(t *testing.T) {
	b := open(t)
	s := spec("serve")
	state := b.run(s)
	b.close()
	moved := b.dir + "-moved"
	if err := os.Rename(b.dir, moved); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Config{DataDir: moved}, b.images, b.logs, slog.New(slog.DiscardHandler))
	if m, ok := errors.AsType[*Moved](err); !ok || m.From != b.dir || m.Tasks != 1 {
		t.Errorf("got %v, want a refusal that names the place", err)
	}
	if got := get(t, "http://"+state.IP+":8080/"); got == "" {
		t.Error("the task does not answer")
	}
	if err := os.Rename(moved, b.dir); err != nil {
		t.Fatal(err)
	}
	b.open()
	if states, err := b.Recover(t.Context()); err != nil || len(states) != 1 || !states[0].Running {
		t.Errorf("moved back: %v, %v, want the task running", states, err)
	}
	if err := b.Stop(t.Context(), s.ID, time.Second); err != nil {
		t.Error(err)
	}
	b.close()
	if err := os.Rename(b.dir, moved); err != nil {
		t.Fatal(err)
	}
	e, err := Open(t.Context(), Config{DataDir: moved}, b.images, b.logs, discard())
	if err != nil {
		t.Fatalf("moved with no task: %v", err)
	}
	if err := e.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if err := os.Rename(moved, b.dir); err != nil {
		t.Fatal(err)
	}
}
