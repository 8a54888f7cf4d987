package supervisor

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ready reports whether all dependencies of m are met. The error means that one
// never will be.
func (t *task) ready(m *member) (bool, error) {
	for _, d := range m.spec.DependsOn {
		on := t.member(d.Container)
		if on == nil {
			return false, fmt.Errorf("container %s depends on %s, which is not in the task", m.spec.Name, d.Container)
		}
		met, err := on.meets(d.Condition)
		if err == nil && !met && on.late(d.Condition, time.Now()) {
			err = fmt.Errorf("is not %s after its startTimeout of %s", d.Condition, on.spec.StartTimeout)
		}
		if err != nil {
			return false, &vainWaitError{m.spec.Name, d.Container, err}
		}
		if !met {
			return false, nil
		}
	}
	return true, nil
}

// vainWaitError is the error of a container that waits for what will not be.
type vainWaitError struct {
	container, on string
	err           error
}

func (v *vainWaitError) Error() string {
	return fmt.Sprintf("container %s cannot start: dependency %s %v", v.container, v.on, v.err)
}

func (v *vainWaitError) Unwrap() error { return v.err }

// late reports whether m has had its time to fulfil a condition. It counts from
// its start, as ECS's agent counts it, so that START is never late.
func (m *member) late(condition string, now time.Time) bool {
	return m.spec.StartTimeout > 0 && m.started && condition != "START" && !now.Before(m.startedAt.Add(m.spec.StartTimeout))
}

// meets reports whether m fulfils a condition of the ECS API (ContainerDependency).
func (m *member) meets(condition string) (bool, error) {
	switch condition {
	case "START":
		return m.started, nil
	case "COMPLETE":
		return m.ended, nil
	case "SUCCESS":
		if m.ended && *m.report.ExitCode != 0 {
			return false, fmt.Errorf("exited with code %d", *m.report.ExitCode)
		}
		return m.ended, nil
	case "HEALTHY":
		switch {
		case m.spec.Check == nil:
			return false, fmt.Errorf("has no health check")
		case m.ended:
			return false, fmt.Errorf("has ended")
		case m.report.Health == "UNHEALTHY":
			return false, fmt.Errorf("is unhealthy")
		}
		return m.report.Health == "HEALTHY", nil
	}
	return false, fmt.Errorf("has unknown condition %q", condition)
}

func (t *task) member(name string) *member {
	for _, m := range t.members {
		if m.spec.Name == name {
			return m
		}
	}
	return nil
}

// stopReady sends the stop signal to every container on which no running one
// depends any more, and to which no output is on its way: those that depend end
// first.
func (t *task) stopReady() {
	for _, m := range t.members {
		if m.container == nil || m.signalled || t.needed(m) || t.awaited(m) {
			continue
		}
		m.signalled = true
		limit := m.spec.StopTimeout
		if limit <= 0 {
			limit = t.timeout
		}
		m.killAt = time.Now().Add(limit)
		m.container.signal(m.signal)
	}
}

func (t *task) needed(m *member) bool {
	for _, other := range t.members {
		if other.container == nil {
			continue
		}
		for _, d := range other.spec.DependsOn {
			if d.Container == m.spec.Name {
				return true
			}
		}
	}
	return false
}

// untilLate is the time to the next moment at which something is late: a container
// that is to stop, or one that others wait for.
func (t *task) untilLate() time.Duration {
	next := time.Hour
	if t.anyAwaited() {
		next = flushLook
	}
	for _, m := range t.members {
		if m.container != nil && !m.killAt.IsZero() {
			next = min(next, max(0, time.Until(m.killAt)))
		}
		if m.started && m.spec.StartTimeout > 0 && t.anyPending() {
			if left := time.Until(m.startedAt.Add(m.spec.StartTimeout)); left > 0 {
				next = min(next, left)
			}
		}
	}
	return next
}

func (t *task) killLate() {
	now := time.Now()
	for _, m := range t.members {
		if m.container != nil && !m.killAt.IsZero() && !now.Before(m.killAt) {
			m.killAt = time.Time{}
			m.container.signal(unix.SIGKILL)
		}
	}
}

func (t *task) killAll() {
	for _, m := range t.members {
		if m.container != nil {
			m.container.signal(unix.SIGKILL)
		}
	}
}
