package ecs

import (
	"context"
	"slices"

	"neargate/internal/model"
)

// keptEvents is how many events a service keeps. [API_Service].
const keptEvents = 100

// Events returns a service's events, newest first.
func (c *Catalogue) Events(cluster, service string) []model.ServiceEvent {
	events, _ := c.events.Get(key(cluster, service))
	return events
}

// AddEvents puts events, oldest first, in front of the service's events.
func (c *Catalogue) AddEvents(ctx context.Context, cluster, service string, events []model.ServiceEvent) error {
	_, err := c.events.Update(ctx, key(cluster, service), func(cur []model.ServiceEvent, _ bool) ([]model.ServiceEvent, error) {
		all := make([]model.ServiceEvent, 0, len(events)+len(cur))
		for _, e := range slices.Backward(events) {
			all = append(all, e)
		}
		all = append(all, cur...)
		return all[:min(len(all), keptEvents)], nil
	})
	return err
}
