package scheduler

import (
	"slices"
	"strings"
	"testing"

	"neargate/internal/ecs"
	"neargate/internal/model"
)

// What panics in the work on one service would do so again after each restart.
// It is an event of that service, or a pause, and nothing to the others.
func TestPanicIsThatServicesOnly(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		if _, err := r.RegisterTaskDefinition(t.Context(), ecs.RegisterTaskDefinitionRequest{
			Family: "bad", CPU: "256", Memory: "512", NetworkMode: "awsvpc",
			Containers: []model.ContainerDefinition{{
				Name: "app", Image: "web:1", Essential: true, PortMappings: []model.PortMapping{{ContainerPort: appPort, Protocol: "tcp"}},
				Log: model.LogConfig{Driver: "awslogs", Options: map[string]string{
					"awslogs-group": "/ecs/panic", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web",
				}},
			}},
		}); err != nil {
			t.Fatal(err)
		}
		r.create(1, func(req *ecs.CreateServiceRequest) {
			req.Name, req.Settings.TaskDefinition, req.Settings.LoadBalancers = "start", new("bad"), nil
		})
		r.create(1, func(req *ecs.CreateServiceRequest) {
			req.Name, req.Settings.LoadBalancers[0].TargetGroupARN = "turn", strings.Replace(group, "web", "panic", 1)
		})
		r.create(1)
		r.until("an event of the start that panicked", func() bool {
			return slices.ContainsFunc(r.Events("c", "start"), func(e model.ServiceEvent) bool {
				return strings.Contains(e.Message, "failed to launch a task with (error ResourceInitializationError: internal error)")
			})
		})
		r.desire(3)
		r.until("the service beside them scaled", func() bool {
			n := 0
			for _, task := range r.Tasks("c") {
				if task.Group == "service:s" && task.LastStatus == model.TaskRunning {
					n++
				}
			}
			return n == 3
		})
	})
}
