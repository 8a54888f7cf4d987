package supervisor

import "time"

const (
	// flushLimit bounds how long a container that routes output runs on to take
	// what those that have ended printed.
	flushLimit = 10 * time.Second
	// flushLook is how often it is looked whether that has been taken.
	flushLook = 50 * time.Millisecond
)

// awaited reports whether output of containers that have ended is still on its
// way to m.
func (t *task) awaited(m *member) bool {
	for _, other := range t.members {
		if other.spec.LogTo != m.spec.Name || other.home == nil || !other.ended {
			continue
		}
		if time.Since(other.endedAt) < flushLimit && !other.home.log.Taken() {
			return true
		}
	}
	return false
}

// anyAwaited reports whether a container that is to stop waits for output.
func (t *task) anyAwaited() bool {
	for _, m := range t.members {
		if t.stopping && m.container != nil && !m.signalled && t.awaited(m) {
			return true
		}
	}
	return false
}
