package task

import (
	"maps"
	"slices"
	"time"

	"neargate/internal/model"
)

// Standing is where a task stands with one target group.
//
//	       Register            Registered
//	Out ───────────▶ Entering ───────────▶ In
//	 ▲                 │   ▲                │ Deregister
//	 │ Refused,        │   │ Register       ▼
//	 │ Gone            │   └── Unsure    Exiting
//	 │◀────────────────┤        ▲  │       │ │ Refused: In
//	 │                 └────────┘  │       │ │ Gone: Out
//	 │                  Refused    │       ▼ Deregistered
//	 └─────────────────────────────┼──── Draining
//	            Drained            └─▶ Exiting, when the task stops
//
// A group whose answer was an error may have the targets or not: Unsure. Those
// are deregistered like others, so that no target stays behind.
type Standing int

// The standings.
const (
	Out Standing = iota
	Entering
	In
	Unsure
	Exiting
	Draining
)

// String returns the standing's name.
func (s Standing) String() string {
	return [...]string{"out", "entering", "in", "unsure", "exiting", "draining"}[s]
}

// Group is a task's relation to one target group.
type Group struct {
	Standing Standing
	Tries    int       // refusals in a row
	At       time.Time // not before, after a refusal
	Left     bool      // it has been told that the targets were deregistered
}

// exitTries is how many times a group may refuse to release the targets of a
// task before its containers are stopped all the same, 15 s. Deregistering goes
// on.
const exitTries = 4

func (m *move) groups() []string { return slices.Sorted(maps.Keys(m.Groups)) }

func (s State) each(holds func(Group) bool) bool {
	for _, g := range s.Groups {
		if !holds(g) {
			return false
		}
	}
	return true
}

// CanResume reports whether the task can be taken back into service: it was
// stopped because there were too many, is well, and still drains.
func (s State) CanResume() bool {
	return s.Leaving() && s.Surplus && !s.Hurried && s.Healthy && len(s.Groups) > 0 &&
		s.each(func(g Group) bool { return g.Standing == Draining })
}

// enter registers the task's targets wherever it is out.
func (m *move) enter() {
	for _, name := range m.groups() {
		g := m.Groups[name]
		if (g.Standing == Out || g.Standing == Unsure) && !m.now.Before(g.At) {
			g.Standing = Entering
			m.Groups[name] = g
			m.order(Order{Kind: Register, Group: name})
		}
	}
}

// lose has the groups told, in which the targets of a task drain that ended by
// itself, that nothing drains there any more.
func (m *move) lose() {
	for name, g := range m.Groups {
		if g.Standing == Draining {
			g.Standing = In
			m.Groups[name] = g
		}
	}
}

// exit deregisters the task's targets wherever they are or may be.
func (m *move) exit() {
	for _, name := range m.groups() {
		g := m.Groups[name]
		if (g.Standing == In || g.Standing == Unsure) && !m.now.Before(g.At) {
			g.Standing = Exiting
			m.Groups[name] = g
			m.order(Order{Kind: Deregister, Group: name, Lost: m.Ended()})
		}
	}
}

func (m *move) registered(name string) {
	m.Groups[name] = Group{Standing: In}
	m.tell(Fact{Kind: GotTargets, Group: name})
}

func (m *move) deregistered(name string) {
	left := m.Groups[name].Left
	m.Groups[name] = Group{Standing: Draining, Left: true}
	if left {
		return
	}
	m.tell(Fact{Kind: LeftGroup, Group: name})
	if m.Deregistered() {
		m.tell(Fact{Kind: BeganToDrain})
	}
}

func (m *move) refused(e Refused) {
	g := m.Groups[e.Group]
	exiting := g.Standing == Exiting
	g.Tries++
	g.At = m.now.Add(pause(g.Tries))
	switch {
	case e.Gone:
		g.Standing = Out
	case exiting:
		g.Standing = In
	default:
		g.Standing = Unsure
	}
	m.Groups[e.Group] = g
	if !e.Gone || !exiting { // a group that is gone has released the targets
		m.tell(Fact{Kind: WasRefused, Group: e.Group, Reason: e.Reason, Leaving: exiting})
	}
}

func (m *move) drained(name string) {
	if m.Groups[name].Standing == Draining {
		m.Groups[name] = Group{}
	}
}

// answered reports whether every group has answered the registration.
func (m *move) answered() bool {
	return m.each(func(g Group) bool { return g.Standing == In || g.Tries > 0 })
}

// released reports whether the containers may be stopped: no group has the
// targets, or one refuses to release them for too long.
func (m *move) released() bool {
	return m.each(func(g Group) bool {
		return g.Standing == Out || m.Hurried && g.Standing == Draining || g.Tries >= exitTries && g.Standing != Entering && g.Standing != Draining
	})
}

// resume takes the task back into service.
func (m *move) resume() {
	if !m.CanResume() {
		return
	}
	r := &m.Record
	r.DesiredStatus, r.StopCode, r.StopReason, r.StoppingAt = model.TaskRunning, "", "", time.Time{}
	m.Surplus = false
	m.set(model.TaskRunning)
	for name := range m.Groups {
		m.Groups[name] = Group{}
	}
}
