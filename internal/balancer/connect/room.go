package connect

import (
	"net/netip"
	"sync"
)

// room bounds the connections of tasks, so that no task keeps others out, and all
// together leave files for what else the server does.
type room struct {
	most, each int // 0 is no limit

	mu   sync.Mutex
	open int                // guarded by mu
	by   map[netip.Addr]int // by task; guarded by mu
}

// newRoom returns room for most connections, of which one task may have a
// quarter.
func newRoom(most int) *room {
	return &room{most: most, each: (most + 3) / 4, by: map[netip.Addr]int{}}
}

// take counts a connection in, or reports false where there is no room for it.
func (r *room) take(from netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.most > 0 && (r.open >= r.most || r.by[from] >= r.each) {
		return false
	}
	r.open++
	r.by[from]++
	return true
}

func (r *room) release(from netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	if r.by[from]--; r.by[from] == 0 {
		delete(r.by, from)
	}
}
