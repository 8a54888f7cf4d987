package scheduler

import (
	"slices"
	"strings"
	"testing"

	"neargate/internal/ecs"
	"neargate/internal/model"
)

// What a definition refers to is looked up at each start, before the platform
// adds its own.
func TestStartIsPrepared(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.register("web", refers("known"))
		r.create(1)
		r.stable(1)
		env := r.eng.Runs()[0].Containers[0].Env
		if !slices.Contains(env, model.KeyValue{Name: "PASSWORD", Value: "value"}) {
			t.Errorf("the container has no PASSWORD: %v", env)
		}
		if !slices.Contains(env, model.KeyValue{Name: "AWS_REGION", Value: "here"}) || slices.Contains(env, model.KeyValue{Name: "AWS_REGION", Value: "us-east-1"}) {
			t.Errorf("a secret named AWS_REGION counts more than the platform's: %v", env)
		}
	})
}

// What cannot be looked up is a failed start: with its reason in the stopped
// task and in an event, counted by the circuit breaker.
func TestStartThatCannotBePrepared(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.register("web", refers("unknown"))
		r.create(1)
		r.until("an event with the reason", func() bool {
			return slices.ContainsFunc(r.said(), func(s string) bool {
				return strings.Contains(s, "ResourceInitializationError: no secret unknown")
			})
		})
		i := slices.IndexFunc(r.Tasks("c"), func(t model.Task) bool { return t.LastStatus == model.TaskStopped })
		if got := r.Tasks("c")[i]; got.StopCode != "TaskFailedToStart" || got.StopReason != "ResourceInitializationError: no secret unknown" {
			t.Errorf("the task ended with %s, %q", got.StopCode, got.StopReason)
		}
		if svc, _ := r.Service("c", "s"); svc.Deployments[0].FailedTasks == 0 {
			t.Error("the failed start is not counted")
		}
		if n := len(r.eng.Runs()); n > 0 {
			t.Errorf("the engine was asked for %d starts", n)
		}
		r.keep.put("unknown", "there now")
		r.until("a task", func() bool { return len(r.running()) == 1 })
	})
}

// A fault of the server's own has no text for callers: it may name places of the
// machine.
func TestStartThatTheServerCannotPrepare(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.register("web", refers("unreadable"))
		r.create(1)
		r.until("an event with the reason", func() bool {
			return slices.ContainsFunc(r.said(), func(s string) bool {
				return strings.Contains(s, "(error ResourceInitializationError: internal error)")
			})
		})
		for _, s := range r.said() {
			if strings.Contains(s, "/place") {
				t.Errorf("an event names a place of the machine: %s", s)
			}
		}
		i := slices.IndexFunc(r.Tasks("c"), func(t model.Task) bool { return t.LastStatus == model.TaskStopped })
		if got := r.Tasks("c")[i].StopReason; got != "ResourceInitializationError: internal error" {
			t.Errorf("the task ended with %q", got)
		}
	})
}

// refers has the container read two variables from secrets.
func refers(password string) func(*ecs.RegisterTaskDefinitionRequest) {
	return func(req *ecs.RegisterTaskDefinitionRequest) {
		req.Containers[0].Secrets = []model.SecretReference{{Name: "PASSWORD", ValueFrom: password}, {Name: "AWS_REGION", ValueFrom: "place"}}
	}
}
