package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"neargate/internal/model"
)

const (
	keptEvents  = 100
	repeatAfter = 6 * time.Hour // for events about a state that lasts
)

// say notes an event of the service in ECS's words.
func (o *owner) say(format string, args ...any) {
	o.news = append(o.news, model.ServiceEvent{
		ID: newUUID(), CreatedAt: time.Now(),
		Message: fmt.Sprintf("(service %s) ", o.service()) + fmt.Sprintf(format, args...),
	})
}

// sayState notes an event about a state that lasts, when the state began or
// six hours after it was last said.
func (o *owner) sayState(holds bool, message string) {
	last, said := o.said[message]
	switch {
	case !holds:
		delete(o.said, message)
	case !said || time.Since(last) >= repeatAfter:
		o.said[message] = time.Now()
		o.say("%s", message)
	}
}

// tasksOf lists tasks as events do: (task A) (task B).
func tasksOf(ids []string) string {
	parts := make([]string, len(ids))
	for i, id := range ids {
		parts[i] = "(task " + id + ")"
	}
	return strings.Join(parts, " ")
}

// writeEvents puts what was said in front of the service's events.
func (o *owner) writeEvents(ctx context.Context) error {
	news := o.news
	o.news = nil
	if len(news) == 0 || o.key == "" {
		return nil
	}
	_, err := o.s.events.Update(ctx, o.key, func(cur []model.ServiceEvent, _ bool) ([]model.ServiceEvent, error) {
		all := make([]model.ServiceEvent, 0, len(news)+len(cur))
		for _, e := range slices.Backward(news) {
			all = append(all, e)
		}
		all = append(all, cur...)
		return all[:min(len(all), keptEvents)], nil
	})
	return err
}

// Events gives a service's events, newest first.
func (s *Scheduler) Events(cluster, service string) []model.ServiceEvent {
	events, _ := s.events.Get(ownerKey(cluster, service))
	return events
}

// remember takes from the last event what would be said twice after a restart.
func (o *owner) remember() {
	events, _ := o.s.events.Get(o.key)
	if len(events) > 0 && strings.HasSuffix(events[0].Message, steadyMessage) {
		o.said[steadyMessage] = events[0].CreatedAt
	}
}

// The events about states that last.
const (
	steadyMessage   = "has reached a steady state."
	impairedMessage = "is unable to consistently start tasks successfully."
	blockedMessage  = "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
	fullMessage     = "was unable to place a task. Reason: You've reached the limit on the number of tasks you can run concurrently."
)
