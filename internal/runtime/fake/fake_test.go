package fake

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"neargate/internal/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEngineKeepsTheContract(t *testing.T) {
	var exits []model.RunState
	e := New(Config{OnExit: func(s model.RunState) { exits = append(exits, s) }})
	spec := model.TaskSpec{ID: "a", CPUUnits: 256, Labels: map[string]string{"k": "v"}, Containers: []model.ContainerSpec{{ContainerDefinition: model.ContainerDefinition{Name: "app"}}}}
	state, err := e.Run(t.Context(), spec)
	if err != nil || !state.Running || state.IP == "" || state.Labels["k"] != "v" {
		t.Fatalf("got %+v, %v", state, err)
	}
	if err := e.Forget(t.Context(), "a"); err == nil {
		t.Error("forgot a running task")
	}
	for range 2 {
		if err := e.Stop(t.Context(), "a", 0); err != nil {
			t.Error(err)
		}
	}
	if len(exits) != 1 || exits[0].Running || *exits[0].Containers[0].ExitCode != 143 {
		t.Errorf("got exits %+v, want one with 143", exits)
	}
	if all, _ := e.List(t.Context()); len(all) != 1 {
		t.Errorf("got %d tasks before Forget, want 1", len(all))
	}
	if err := e.Forget(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	if all, _ := e.List(t.Context()); len(all) != 0 {
		t.Errorf("got %d tasks after Forget, want none", len(all))
	}
}

func TestEngineStartFails(t *testing.T) {
	e := New(Config{StartDelay: time.Hour})
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if _, err := e.Run(ctx, model.TaskSpec{ID: "a"}); !errors.Is(err, why) {
		t.Errorf("got %v, want %v", err, why)
	}
	e.Set(func(c *Config) { c.StartDelay = 0 })
	e.FailNext(why, nil)
	if _, err := e.Run(t.Context(), model.TaskSpec{ID: "b"}); !errors.Is(err, why) {
		t.Errorf("got %v, want %v", err, why)
	}
	if _, err := e.Run(t.Context(), model.TaskSpec{ID: "c"}); err != nil {
		t.Error(err)
	}
	if got := len(e.Runs()); got != 3 {
		t.Errorf("got %d starts, want 3", got)
	}
}

func TestSamplesStayWithinTheTasksSize(t *testing.T) {
	e := New(Config{CPU: 4, Memory: 1 << 20})
	begin := time.Now()
	if _, err := e.Run(t.Context(), model.TaskSpec{ID: "a", CPUUnits: 256}); err != nil {
		t.Fatal(err)
	}
	s := e.Samples()
	if len(s) != 1 || s[0].CPU > time.Since(begin)/4 || s[0].Memory != 1<<20 {
		t.Errorf("got %+v, want at most a quarter of the time", s)
	}
	e.SetCPU("a", 0)
	if a, b := e.Samples()[0].CPU, e.Samples()[0].CPU; a != b {
		t.Errorf("an idle task consumed %v", b-a)
	}
}
