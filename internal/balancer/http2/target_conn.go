package http2

import (
	"errors"
	"net"
	"time"
)

// tryShare is how much of an answer's body a stream holds for us.
const tryShare = 256 << 10

// maxTries is how many requests go over one connection at a time, whatever the
// target takes.
const maxTries = 1000

// pingPatience is how long a connection may be silent that seems dead.
const pingPatience = 5 * time.Second

// targetConn is a connection to a target.
type targetConn struct {
	session
	kept    *kept
	scratch answerHead // of the reader

	// Guarded by mu.
	used    int       // tries that have a place
	retired bool      // no more requests go over it
	served  bool      // a request has been answered over it
	idle    time.Time // since when it has no request
	doubt   time.Time // when a ping was sent, because a target was silent; zero: none
}

func newTargetConn(k *kept, nc net.Conn) *targetConn {
	c := &targetConn{kept: k, idle: time.Now()}
	c.init(nc, c, k.up.pools, k.up.tags)
	c.limit = time.Minute
	c.out = append(c.pools.get(smallBuffer), preface...)
	c.out = appendSettings(c.out,
		settingValue{settingPush, 0},
		settingValue{settingInitialWindow, tryShare},
		settingValue{settingMaxHeaderList, maxList},
	)
	c.out = appendWindow(c.out, 0, connSpace-defaultSpace)
	return c
}

// run reads what the target sends, until the connection ends.
func (c *targetConn) run() {
	err := c.readFrames()
	c.kept.remove(c)
	c.fail(err)
	if _, ok := errors.AsType[*connError](err); ok {
		c.hangUp(0, err)
	}
	_ = c.nc.Close()
	c.tasks.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pools.put(c.in)
	c.pools.put(c.block)
	c.scratch.release(c.pools)
}

// reserve takes a place for a request; nil if there is none.
func (c *targetConn) reserve() *try {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.takesLocked() {
		return nil
	}
	c.used++
	t := c.kept.up.tries.Get().(*try)
	t.conn, t.s, t.reused = c, &c.session, c.served
	t.id, t.err, t.spoilt, t.woken, t.headed, t.interim = 0, nil, nil, false, false, 0 // of the request before
	return t
}

// takesLocked reports whether another request may go over the connection. One whose
// space is used up by bodies that the target does not read would hold others up.
func (c *targetConn) takesLocked() bool {
	return c.err == nil && !c.mute && (!c.retired || c.used == 0) && c.doubt.IsZero() && c.space >= maxFrame &&
		c.used < maxTries && uint32(c.used) < c.most && c.lastID < 1<<30
}

// retire has no more requests go over the connection, which ends with the last.
func (c *targetConn) retire() {
	c.mu.Lock()
	c.retired = true
	last := c.used == 0
	c.mu.Unlock()
	if last {
		_ = c.nc.Close()
	}
}

// prune closes the connection if it has been idle too long or is dead.
func (c *targetConn) prune(now time.Time) {
	c.mu.Lock()
	over := c.used == 0 && now.Sub(c.idle) >= c.kept.up.cfg.IdleTimeout ||
		!c.doubt.IsZero() && now.Sub(c.doubt) >= pingPatience
	c.mu.Unlock()
	if over {
		_ = c.nc.Close()
	}
}

// doubtLocked asks the target whether it is still there.
func (c *targetConn) doubtLocked() {
	if c.doubt.IsZero() && c.err == nil {
		c.doubt = time.Now()
		c.out = appendPing(c.out, 0, []byte("there?.."))
	}
}

// batch implements side.
func (c *targetConn) batch() {
	c.mu.Lock()
	c.doubt = time.Time{}
	due := len(c.out) > 0
	c.mu.Unlock()
	if due {
		c.send()
	}
}

// timeout implements side: there is no deadline.
func (c *targetConn) timeout() error { return errEnded }

// goAway implements side: streams above last were not looked at, and no other
// begins.
func (c *targetConn) goAway(last uint32) {
	c.mu.Lock()
	for id, st := range c.streams {
		if id > last {
			st.endLocked(errNotSeen)
		}
	}
	c.mu.Unlock()
	c.retire()
}
