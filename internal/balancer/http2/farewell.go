package http2

import "time"

// farewell is how far a client has been told that its connection ends: first that
// it will, while requests that are on their way are still served; then which the
// last one is (RFC 9113, 6.8).
//
//	staying ──Drain, age──▶ warning ──a round trip, drainGrace──▶ leaving ──▶ closed
type farewell uint8

const (
	staying farewell = iota
	warning
	leaving
)

// drainGrace is how long a client may take to notice the warning.
const drainGrace = time.Second

// Drain begins the graceful end: Serve returns soon if no request is under way, else
// when the last one ends. The client is told to send no more.
func (c *Conn) Drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	c.wakeReader()
}

// Retire is Drain: a client is told which of its requests was the last.
func (c *Conn) Retire() { c.Drain() }

// Kill cuts the connection, and the requests that are under way.
func (c *Conn) Kill() {
	c.end()
	_ = c.nc.Close()
	c.mu.Lock()
	running := make([]departed, 0, len(c.streams))
	for id, st := range c.streams {
		running = append(running, departed{&c.session, st, id})
	}
	c.mu.Unlock()
	for _, d := range running {
		d.kill()
	}
}

// wakeReader has the reader look whether there is something else to do than to
// read. The mutex orders it with the deadlines that the reader sets.
func (c *Conn) wakeReader() { _ = c.nc.SetReadDeadline(time.Unix(1, 0)) }

// timeout implements side: it decides how long to wait for the client's next
// frame.
func (c *Conn) timeout() error {
	set, now := c.proxy.Current(), time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining || c.retired || now.Sub(c.info.Started) >= set.ClientKeepAlive {
		return c.sayFarewellLocked(now)
	}
	quiet := time.Duration(0)
	if len(c.streams) == 0 {
		quiet = now.Sub(c.idle)
	}
	if quiet >= set.IdleTimeout {
		return errEnded
	}
	return c.nc.SetReadDeadline(now.Add(set.IdleTimeout - quiet))
}

// sayFarewellLocked goes a step further towards the end, if it is time for that.
func (c *Conn) sayFarewellLocked(now time.Time) error {
	if c.farewell == staying {
		c.farewell, c.warned = warning, now
		c.ponged = false
		c.out = appendGoAway(c.out, maxWindow, noError)
		c.out = appendPing(c.out, 0, []byte("farewell"))
		c.tasks.Go(c.send)
	}
	if c.farewell == warning {
		if by := c.warned.Add(drainGrace); now.Before(by) && !c.ponged {
			return c.nc.SetReadDeadline(by)
		}
		c.farewell = leaving
		c.out = appendGoAway(c.out, c.lastID, noError)
		c.tasks.Go(c.send)
	}
	if len(c.streams) == 0 {
		return errEnded
	}
	return c.nc.SetReadDeadline(now.Add(time.Hour)) // the end of the last request wakes the reader
}

// batch implements side: what has been read begins.
func (c *Conn) batch() {
	c.start()
	if c.retired && c.farewell == staying || c.ponged && c.farewell == warning {
		c.mu.Lock()
		c.wakeReader()
		c.mu.Unlock()
	}
	c.send()
}

// start begins the requests that have been read.
func (c *Conn) start() {
	for i, st := range c.fresh {
		c.fresh[i] = nil
		c.srv.workers.start(st)
	}
	c.fresh = c.fresh[:0]
}

// goAway implements side: a client opens no more streams anyway.
func (c *Conn) goAway(uint32) {
	c.retired = true
}
