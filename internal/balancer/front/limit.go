package front

import "sync/atomic"

// Limit bounds the client connections of all servers that share it, so that a
// flood leaves file descriptors for what else the process does. A nil Limit bounds
// nothing. Safe for concurrent use.
type Limit struct {
	most int64
	open atomic.Int64
}

// NewLimit returns a limit of most connections at once.
func NewLimit(most int) *Limit { return &Limit{most: int64(most)} }

// take counts a connection in, or reports false where the limit is reached.
func (l *Limit) take() bool {
	if l == nil {
		return true
	}
	if l.open.Add(1) <= l.most {
		return true
	}
	l.open.Add(-1)
	return false
}

func (l *Limit) release() {
	if l != nil {
		l.open.Add(-1)
	}
}
