package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"neargate/internal/ecs"
	"neargate/internal/model"
	"neargate/internal/runtime/fake"
)

// What no machine can run waits, with an event that names the architecture, and
// is placed when the machine has come to run it.
func TestArchitectureOfTheMachine(t *testing.T) {
	for _, row := range []struct{ own, other model.Architecture }{{model.AMD64, model.ARM64}, {model.ARM64, model.AMD64}} {
		t.Run(string(row.own), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.eng.Set(func(c *fake.Config) { c.Architectures = []model.Architecture{row.own} })
				r.register("web", func(req *ecs.RegisterTaskDefinitionRequest) { req.CPUArchitecture = row.other.ECS() })
				tasks, failures, err := r.RunTask(t.Context(), model.Task{Cluster: "c", TaskDefinitionARN: "web"}, 2)
				if err != nil || len(tasks) != 0 || len(failures) != 2 || failures[0].Reason != "ATTRIBUTE" ||
					!strings.Contains(failures[0].Detail, row.other.ECS()) || !strings.Contains(failures[0].Detail, row.own.ECS()) {
					t.Fatalf("got %d tasks, failures %+v, %v, want two of ATTRIBUTE that name both architectures", len(tasks), failures, err)
				}
				r.create(1)
				want := "(service s) " + fmt.Sprintf(noArchitectureText, strings.ToLower(row.other.ECS()))
				r.until("told", func() bool { return slices.Contains(r.said(), want) })
				if n := len(r.eng.Runs()); n != 0 {
					t.Errorf("%d starts of what cannot run", n)
				}
				r.eng.Set(func(c *fake.Config) { c.Architectures = []model.Architecture{row.own, row.other} })
				r.stable(1)
				r.register("own")
				if _, _, err := r.RunTask(t.Context(), model.Task{Cluster: "c", TaskDefinitionARN: "own"}, 1); err != nil {
					t.Fatal(err)
				}
				r.until("both run", func() bool { return len(r.eng.Running()) == 2 })
				got := []model.Architecture{}
				for _, spec := range r.eng.Runs() {
					record, _ := r.Task("c", spec.ID)
					if record.Architecture != spec.Architecture {
						t.Errorf("the record says %q, the engine was told %q", record.Architecture, spec.Architecture)
					}
					got = append(got, spec.Architecture)
				}
				if !slices.Equal(got, []model.Architecture{row.other, row.own}) {
					t.Errorf("started for %v, want %s, then %s, which is the machine's", got, row.other, row.own)
				}
			})
		})
	}
}
