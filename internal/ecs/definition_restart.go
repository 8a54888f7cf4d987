package ecs

import (
	"time"

	"neargate/internal/model"
)

// checkRestart: bounds of API_ContainerRestartPolicy.
func checkRestart(c model.ContainerDefinition) error {
	r := c.Restart
	switch {
	case r == nil:
		return nil
	case len(r.IgnoredExitCodes) > 50:
		return client("Invalid 'restartPolicy' setting for container '%s': at most 50 exit codes can be ignored.", c.Name)
	case r.AttemptPeriod < time.Minute || r.AttemptPeriod > 30*time.Minute:
		return client("The 'restartAttemptPeriod' setting for container '%s' must be between 60 and 1800.", c.Name)
	}
	return nil
}
