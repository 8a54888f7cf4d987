package ecs

import "neargate/internal/model"

// keptEvents is how many events a service keeps. [API_Service].
const keptEvents = 100

// Events returns a service's events, newest first.
func (c *Catalogue) Events(cluster, service string) []model.ServiceEvent {
	events, _ := c.events.Get(key(cluster, service))
	return events
}
