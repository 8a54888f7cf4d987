package accesslog

import (
	"context"
	"io"
	"sync"
)

// maxBehind is how many octets of lines wait for one who follows.
const maxBehind = 256 << 10

// Follower is one who follows a stream. What it does not take in time is lost to it,
// and counted.
type Follower struct {
	of   *Stream
	wake chan struct{} // size 1

	mu    sync.Mutex
	lines []byte // guarded by mu
	lost  int    // guarded by mu
	ended bool   // guarded by mu
}

func (f *Follower) add(line []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lines)+len(line) > maxBehind {
		f.lost++
		return
	}
	f.lines = append(f.lines, line...)
	f.rouse()
}

func (f *Follower) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	f.rouse()
}

func (f *Follower) rouse() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Next waits for lines, and returns those that have come and how many were lost after
// them. io.EOF: the load balancer is gone; else ctx's cause.
func (f *Follower) Next(ctx context.Context) (lines []byte, lost int, err error) {
	for {
		select {
		case <-f.wake:
		case <-ctx.Done():
			return nil, 0, context.Cause(ctx)
		}
		if lines, lost, ended := f.take(); len(lines) > 0 || lost > 0 {
			return lines, lost, nil
		} else if ended {
			return nil, 0, io.EOF
		}
	}
}

func (f *Follower) take() (lines []byte, lost int, ended bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	lines, lost = f.lines, f.lost
	f.lines, f.lost = nil, 0
	if f.ended {
		f.rouse() // for the next call
	}
	return lines, lost, f.ended
}

// Close ends the following.
func (f *Follower) Close() { f.of.leave(f) }
