package accesslog

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Stream is where the lines of one kind of a load balancer go: to its log, where it
// has one, and to those who follow. The zero value has neither.
type Stream struct {
	wanted atomic.Bool

	mu        sync.Mutex
	log       *Log        // guarded by mu
	followers []*Follower // guarded by mu
	line      []byte      // of the last entry, to be used again; guarded by mu
}

// maxFollowers is how many may follow one stream.
const maxFollowers = 32

// Wanted reports whether lines go anywhere. It costs nothing; ask it before an entry
// is made.
func (s *Stream) Wanted() bool { return s.wanted.Load() }

// Request takes a request in. None of these blocks.
func (s *Stream) Request(e *Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line = e.Append(s.line[:0])
	s.addLocked()
}

// Conn takes a connection in.
func (s *Stream) Conn(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line = c.Append(s.line[:0])
	s.addLocked()
}

// Check takes a health check in.
func (s *Stream) Check(c *Check) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line = c.Append(s.line[:0])
	s.addLocked()
}

// addLocked passes on the line that was made.
func (s *Stream) addLocked() {
	if s.log != nil {
		s.log.Add(s.line)
	}
	for _, f := range s.followers {
		f.add(s.line)
	}
}

// Log returns the log; nil: there is none.
func (s *Stream) Log() *Log {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log
}

// SetLog has lines go to another log, or with nil to none, and returns the one
// before.
func (s *Stream) SetLog(next *Log) (old *Log) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, s.log = s.log, next
	s.settleLocked()
	return old
}

func (s *Stream) settleLocked() { s.wanted.Store(s.log != nil || len(s.followers) > 0) }

// Follow has lines from now on come to a follower, until it is closed. It reports
// false where there are too many already.
func (s *Stream) Follow() (*Follower, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.followers) >= maxFollowers {
		return nil, false
	}
	f := &Follower{of: s, wake: make(chan struct{}, 1)}
	s.followers = append(s.followers, f)
	s.settleLocked()
	return f, true
}

// End ends those who follow: no line comes any more.
func (s *Stream) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.followers {
		f.end()
	}
	s.followers = nil
	s.settleLocked()
}

func (s *Stream) leave(f *Follower) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.followers = slices.DeleteFunc(s.followers, func(other *Follower) bool { return other == f })
	s.settleLocked()
}
