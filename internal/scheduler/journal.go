package scheduler

import (
	"fmt"
	"strings"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
)

const (
	// repeatAfter is when an event about a state that lasts comes again.
	repeatAfter = 6 * time.Hour
	// launchAgain is the same for starts that fail: each round of them has its
	// cause, tasks that fail together have one.
	launchAgain = 10 * time.Second
	// keptNews is how many events wait to be written. A service keeps no more.
	keptNews = 100
)

// journal gathers the events of one service, in ECS's words, until they are
// written. It belongs to the service's owner.
type journal struct {
	service string
	news    []model.ServiceEvent // oldest first
	states  map[string]said      // what lasts, by topic
}

// said is what was last said of a state, and when.
type said struct {
	text string
	at   time.Time
}

func newJournal(service string) journal { return journal{service: service, states: map[string]said{}} }

// say adds an event.
func (j *journal) say(now time.Time, format string, args ...any) {
	j.add(now, fmt.Sprintf("(service %s) ", j.service)+fmt.Sprintf(format, args...))
}

// add adds an event in its full wording.
func (j *journal) add(now time.Time, text string) {
	if j.service == "" {
		return
	}
	j.news = append(j.news, model.ServiceEvent{ID: random.UUID(), CreatedAt: now, Message: text})
}

// written drops the n oldest events, which are on disk.
func (j *journal) written(n int) { j.news = j.news[n:] }

// unwritten drops the oldest events beyond what a service keeps, after a write
// that failed.
func (j *journal) unwritten() { j.news = j.news[max(0, len(j.news)-keptNews):] }

// state adds an event about a state that lasts: when it began, when there is
// something else to say of it, and again after a while. An empty text ends the
// state.
func (j *journal) state(now time.Time, topic, text string) {
	last, known := j.states[topic]
	again := repeatAfter
	if topic == launch {
		again = launchAgain
	}
	switch {
	case text == "":
		delete(j.states, topic)
	case !known || last.text != text || now.Sub(last.at) >= again:
		j.states[topic] = said{text, now}
		j.say(now, "%s", text)
	}
}

// repeats returns when the event about a state comes again; zero: the state is
// not there.
func (j *journal) repeats(topic string) time.Time {
	if last, known := j.states[topic]; known {
		return last.at.Add(repeatAfter)
	}
	return time.Time{}
}

// remember takes from the service's events, newest first, what would be said
// twice after a restart.
func (j *journal) remember(events []model.ServiceEvent) {
	if len(events) > 0 && strings.HasSuffix(events[0].Message, steadyText) {
		j.states[steady] = said{steadyText, events[0].CreatedAt}
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

// The topics of states that last, besides one for each target group.
const (
	steady     = "steady"
	impaired   = "impaired"
	blocked    = "blocked"
	full       = "full"
	launch     = "launch"
	kept       = "kept"
	shiftFails = "shift"
)

// What is said of them.
const (
	steadyText   = "has reached a steady state."
	impairedText = "is unable to consistently start tasks successfully."
	blockedText  = "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
	tooManyText  = "was unable to place a task. Reason: You've reached the limit on the number of tasks you can run concurrently."
	noMemoryText = "was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance neargate) has insufficient memory available."
	noCPUText    = "was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance neargate) has insufficient CPU units available."
	// noArchitectureText is followed by the attribute.
	noArchitectureText = "was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance neargate) is missing an attribute required by your task (ecs.cpu-architecture %s)."
)
