package scheduler

import (
	"context"
	"fmt"
	"strings"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
)

const repeatAfter = 6 * time.Hour // for events about a state that lasts

// say notes an event of the service in ECS's words.
func (o *owner) say(format string, args ...any) {
	_, service := o.name()
	o.news = append(o.news, model.ServiceEvent{
		ID: random.UUID(), CreatedAt: time.Now(),
		Message: fmt.Sprintf("(service %s) ", service) + fmt.Sprintf(format, args...),
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
	cluster, service := o.name()
	return o.s.records.AddEvents(ctx, cluster, service, news)
}

// remember takes from the last event what would be said twice after a restart.
func (o *owner) remember() {
	events := o.s.records.Events(o.name())
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
