package local

import (
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
)

// One bad image or task is an end of its own, never of the server.
func TestPanicInAStartIsThatStartsError(t *testing.T) {
	b := open(t)
	good := b.run(spec("idle"))
	bad := spec("idle")
	bad.Containers = append(bad.Containers, container("second"))
	bad.Containers[1].Image = "panic"
	_, err := b.Start(t.Context(), bad)
	if model.KindOf(err) != model.Internal || !strings.Contains(err.Error(), "ResourceInitializationError: internal error: of an image") {
		t.Errorf("Start = %v", err)
	}
	if held := b.images.holding(); held != 1 {
		t.Errorf("%d images are held, want that of the running task", held)
	}
	if _, err := b.Start(t.Context(), spec("exit", "0")); err != nil {
		t.Errorf("the next Start = %v", err)
	}
	b.exit()
	if err := b.Stop(t.Context(), good.ID, time.Second); err != nil {
		t.Error(err)
	}
	b.exit()
}

func TestTaskThatCannotBeWatchedIsEnded(t *testing.T) {
	b := open(t)
	bad := b.newTask(newID())
	close(bad.started)
	b.watch(t.Context(), bad) // panics, as there is no connection to read from
	if end := b.exit(); end.ID != bad.id || end.Running {
		t.Errorf("end = %+v", end)
	}
	select {
	case <-bad.ended:
	default:
		t.Error("whoever stops the task waits for ever")
	}
}

func TestPanicOfTheSinkLosesOneStreamOnly(t *testing.T) {
	b := open(t)
	bad := spec("print", "lost")
	bad.Containers[0].LogStream = "panic"
	b.run(bad)
	b.exit()
	if _, lines := b.output(spec("print", "kept")); len(lines) == 0 {
		t.Error("the output of the next task is lost")
	}
}
