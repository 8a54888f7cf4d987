package policy

import (
	"slices"
	"strings"
	"time"

	"neargate/internal/model"
)

// fine is the resolution of high-resolution metrics, and the period of the
// alarms on them.
const fine = 20 * time.Second

// plain returns a predefined metric type without its resolution.
func plain(predefined string) (metric string, highResolution bool) {
	return strings.CutSuffix(predefined, "HighResolution")
}

// checkResolution wants the service to publish a metric at high resolution, by
// all its tasks.
func checkResolution(predefined string, svc model.Service) error {
	name := "CPUUtilization"
	if strings.Contains(predefined, "Memory") {
		name = "MemoryUtilization"
	}
	enabled := slices.ContainsFunc(svc.Monitoring, func(m model.MetricResolution) bool {
		return m.Resolution <= fine && slices.Contains(m.Metrics, name)
	})
	if !enabled || Deploying(svc) {
		return invalid("High-resolution metrics are not fully enabled on the ECS service.")
	}
	return nil
}

// Deploying reports whether a rolling deployment is in progress.
func Deploying(svc model.Service) bool {
	live := 0
	for _, d := range svc.Deployments {
		if d.Status != model.Inactive {
			live++
		}
	}
	return live > 1 || live == 1 && svc.Deployments[0].RolloutState == "IN_PROGRESS"
}
