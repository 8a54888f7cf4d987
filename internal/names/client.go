package names

import (
	"net/netip"
	"sync"
	"time"
)

// What one client may do. AWS takes 1,024 packets a second from one network
// interface and drops the rest.
const (
	questionsPerSecond = 1024
	forwardsPerClient  = 64 // under way
	streamsPerClient   = 16 // TCP connections
)

// What all clients together may do. The sum bounds the files and the memory that
// names take: 64 KiB for each that is under way, at the very most.
const (
	maxForwards = 512
	maxStreams  = 256
	maxClients  = 8192
)

// clients counts what each client does. A client is an address: the packet
// filter sees to it that a task has but one. The machine's own programs are one
// client together.
type clients struct {
	now func() time.Time

	mu                sync.Mutex
	by                map[netip.Addr]*client
	forwards, streams int
}

// client is one address; guarded by clients.mu.
type client struct {
	second            int64
	asked             int // in that second
	forwards, streams int // under way
}

func newClients(now func() time.Time) *clients {
	return &clients{now: now, by: map[netip.Addr]*client{}}
}

// admit reports whether a client may ask one more question now. The machine's own
// programs always may: they have better ways to harm it.
func (c *clients) admit(a netip.Addr, from From) bool {
	if from == Machine {
		return true
	}
	second := c.now().Unix()
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.ofLocked(a)
	if one.second != second {
		one.second, one.asked = second, 0
	}
	one.asked++
	return one.asked <= questionsPerSecond
}

// ofLocked returns the client with an address. When there are very many, as only
// forged senders can be, those that do nothing are forgotten.
func (c *clients) ofLocked(a netip.Addr) *client {
	one := c.by[a]
	if one == nil {
		if len(c.by) >= maxClients {
			for other, o := range c.by {
				if o.forwards == 0 && o.streams == 0 {
					delete(c.by, other)
				}
			}
		}
		one = &client{}
		c.by[a] = one
	}
	return one
}

// forward begins a question to elsewhere; ok is false when there are too many.
func (c *clients) forward(a netip.Addr, from From) (done func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	most := forwardsPerClient
	if from == Machine {
		most = maxForwards / 2
	}
	one := c.ofLocked(a)
	return c.beginLocked(use{&one.forwards, most}, use{&c.forwards, maxForwards})
}

// stream begins a TCP connection; ok is false when there are too many.
func (c *clients) stream(a netip.Addr, from From) (done func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	most := streamsPerClient
	if from == Machine {
		most = maxStreams / 2
	}
	one := c.ofLocked(a)
	return c.beginLocked(use{&one.streams, most}, use{&c.streams, maxStreams})
}

// use is how many of something are under way, and may be.
type use struct {
	now  *int
	most int
}

func (c *clients) beginLocked(own, all use) (done func(), ok bool) {
	if *own.now >= own.most || *all.now >= all.most {
		return nil, false
	}
	*own.now++
	*all.now++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		*own.now--
		*all.now--
	}, true
}
