package http1

import "sync/atomic"

// ConnLimit bounds the client connections of all servers that share it, so that
// a flood leaves file descriptors for what else the process does. A nil
// ConnLimit bounds nothing. Safe for concurrent use.
type ConnLimit struct {
	most int64
	open atomic.Int64
}

// NewConnLimit returns a limit of most connections at once.
func NewConnLimit(most int) *ConnLimit { return &ConnLimit{most: int64(most)} }

// take counts a connection in, or reports false where the limit is reached.
func (l *ConnLimit) take() bool {
	if l == nil {
		return true
	}
	if l.open.Add(1) <= l.most {
		return true
	}
	l.open.Add(-1)
	return false
}

func (l *ConnLimit) release() {
	if l != nil {
		l.open.Add(-1)
	}
}
