package fake

import (
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"neargate/internal/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func spec(id string) model.TaskSpec {
	return model.TaskSpec{
		ID: id, CPUUnits: 256, MemoryMiB: 512,
		Containers: []model.ContainerSpec{{ContainerDefinition: model.ContainerDefinition{Name: "app", Image: "web", Essential: true}}},
	}
}

func TestStartFailsOnDemand(t *testing.T) {
	e, why := New(Config{}), errors.New("enough")
	e.FailNext(why, nil)
	if _, err := e.Start(t.Context(), spec("b")); !errors.Is(err, why) {
		t.Errorf("got %v, want %v", err, why)
	}
	if _, err := e.Start(t.Context(), spec("c")); err != nil {
		t.Error(err)
	}
	if got := len(e.Runs()); got != 2 {
		t.Errorf("got %d starts, want 2", got)
	}
}

func TestSamplesStayWithinTheTasksSize(t *testing.T) {
	e := New(Config{CPU: 4, Memory: 1 << 20})
	begin := time.Now()
	if _, err := e.Start(t.Context(), spec("a")); err != nil {
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
