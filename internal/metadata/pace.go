package metadata

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// spacing is the least time between two answers to one task, on the average:
	// what a task asks for is answered at the machine's expense, not its own.
	spacing = time.Second / 2000
	// burst is how many answers may come without that.
	burst = 200
)

// pace spaces the answers to each address. What is asked faster waits.
type pace struct {
	mu  sync.Mutex
	due map[netip.Addr]time.Time // guarded by mu; of the next answer. At most all addresses of a network
}

// next takes a place in the row of an address, and returns how long to wait for
// it.
func (p *pace) next(a netip.Addr, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	due := p.due[a]
	if earliest := now.Add(-burst * spacing); due.Before(earliest) {
		due = earliest
	}
	p.due[a] = due.Add(spacing)
	return due.Sub(now)
}
