package task

import "neargate/internal/model"

// Checked reports whether an essential container of def has a health check.
func Checked(def model.TaskDefinition) bool {
	for _, c := range def.Containers {
		if c.Essential && c.HealthCheck != nil {
			return true
		}
	}
	return false
}

// Health is the healthStatus of a task: the worst of its essential containers',
// UNHEALTHY before UNKNOWN. A container without a check is UNKNOWN
// [API_HealthCheck].
func Health(def model.TaskDefinition, containers []model.Container) string {
	return worst(def, containers, func(c model.ContainerDefinition) bool { return c.Essential })
}

// Verdict is what the checks of a task's essential containers amount to, whatever
// containers without a check it has; UNKNOWN where there is no check. Deployments
// wait for it: they could never end by a healthStatus that stays UNKNOWN.
func Verdict(def model.TaskDefinition, containers []model.Container) string {
	return worst(def, containers, func(c model.ContainerDefinition) bool { return c.Essential && c.HealthCheck != nil })
}

// worst is the worst health of the containers that count; UNKNOWN: none does.
func worst(def model.TaskDefinition, containers []model.Container, counts func(model.ContainerDefinition) bool) string {
	health := map[string]string{}
	for _, c := range containers {
		health[c.Name] = c.Health
	}
	found := ""
	for _, c := range def.Containers {
		switch {
		case !counts(c):
		case c.HealthCheck != nil && health[c.Name] == "UNHEALTHY":
			return "UNHEALTHY"
		case c.HealthCheck == nil || health[c.Name] != "HEALTHY":
			found = "UNKNOWN"
		case found == "":
			found = "HEALTHY"
		}
	}
	if found == "" {
		return "UNKNOWN"
	}
	return found
}
