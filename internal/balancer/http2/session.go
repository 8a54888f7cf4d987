package http2

import (
	"errors"
	"net"
	"sync"
	"time"

	"neargate/internal/balancer/http2/hpack"
)

// Limits of a session.
const (
	maxStreams  = 128            // at a time, of a client (application-load-balancers, "HTTP/2")
	maxRunning  = 2 * maxStreams // with those that a client has reset, until they have noticed
	streamSpace = 64 << 10       // octets of a body that a stream holds for us
	connSpace   = 1 << 20        // the same for all streams of a connection
	maxOut      = 64 << 10       // octets that wait to be sent, before streams wait too
	maxList     = 64 << 10       // octets of a head's fields (load-balancer-limits)
	maxBlock    = maxList + maxFrame
	tableSize   = 4 << 10 // of HPACK's table towards us
)

// side is what a session does that depends on which end it is.
type side interface {
	// head takes a complete header block.
	head(h *frameHeader, block []byte) error
	// goAway takes that the peer processes streams up to last only.
	goAway(last uint32)
	// batch is called when all that has been read is handled, before more is
	// waited for.
	batch()
	// timeout is called when nothing came until the read deadline; it sets another,
	// or has the session end by an error.
	timeout() error
}

// session is one connection.
type session struct {
	nc    net.Conn
	side  side
	pools *buffers
	first uint32 // identifier of the first stream that the peer may open; 0 if none

	// Owned by the reader.
	in       []byte // read and not yet handled: in[at:]
	at       int
	little   [smallRead]byte
	dec      *hpack.Decoder
	header   frameHeader // of the frame under way
	field    hpack.Field // being taken
	block    []byte      // of a header block that comes in several frames
	blockOf  frameHeader // stream 0 if there is none
	settled  bool        // the peer's first SETTINGS has come
	ponged   bool        // the peer has answered a ping
	glitches glitches

	mu       sync.Mutex
	out      []byte // to be sent; guarded by mu
	spare    []byte // the buffer that was sent last; guarded by mu
	sending  bool   // somebody is in flush; guarded by mu
	sent     sync.Cond
	writeBy  time.Time          // the deadline in force; owned by who is sending
	tasks    sync.WaitGroup     // goroutines that send for others
	err      error              // why it has ended; guarded by mu
	streams  map[uint32]*stream // guarded by mu
	open     int                // streams that are open by the protocol; guarded by mu
	waiting  int                // streams that wait for room or space; guarded by mu
	unborn   []*stream          // those of them that have no identifier yet; guarded by mu
	space    int                // what the peer takes for all streams; guarded by mu
	initial  int                // what it takes for a new stream; guarded by mu
	unused   int                // octets taken in and not yet granted again; guarded by mu
	owed     int                // octets that the peer may still send; guarded by mu
	most     uint32             // streams that the peer takes; guarded by mu
	connect  bool               // the peer takes extended CONNECT; guarded by mu
	resize   bool               // the next block begins with our table's size; guarded by mu
	paid     int                // glitches that what we sent pays for; guarded by mu
	mute     bool               // nothing can be sent any more; guarded by mu
	limit    time.Duration      // that a write may take; guarded by mu
	departed []departed         // streams that the reader has ended; only its own, with mu
	lastID   uint32             // the highest stream opened by the peer, or by us; guarded by mu
	closed   [closedKept]uint32 // streams that ended last; guarded by mu
	closedAt int                // guarded by mu
	ourReset uint64             // bits of closed: we have reset it; guarded by mu
}

// closedKept is how many ended streams are remembered, of which frames may still
// come.
const closedKept = 64

func (s *session) init(nc net.Conn, own side, pools *buffers, tagger *tags) {
	s.nc, s.side, s.pools = nc, own, pools
	s.dec = hpack.NewDecoder(tableSize, tagger.of, tagger.static)
	s.sent.L = &s.mu
	s.streams = map[uint32]*stream{}
	s.space, s.initial, s.owed, s.most = defaultSpace, defaultSpace, connSpace, 100
	s.glitches.since = time.Now()
}

// errEnded is why a session ends that both sides are done with.
var errEnded = errors.New("http2: connection ended")

// fail ends all streams, for err; the first one counts.
func (s *session) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	for id, st := range s.streams {
		s.departed = append(s.departed, departed{s, st, id})
		st.endLocked(s.err)
	}
	s.wakeWritersLocked()
	s.mu.Unlock()
	s.tellGone()
}

// tellGone tells the flows of streams that the reader has ended.
func (s *session) tellGone() {
	for _, d := range s.departed {
		d.tellGone()
	}
	clear(s.departed)
	s.departed = s.departed[:0]
}

// hangUp tells the peer why the session ends, as far as that is quickly done.
// The session has failed.
func (s *session) hangUp(last uint32, err error) {
	code := noError
	if ce, ok := errors.AsType[*connError](err); ok {
		code = ce.code
	}
	s.mu.Lock()
	s.out = appendGoAway(s.out, last, code)
	s.mu.Unlock()
	s.flush()
}

// flush sends everything that there is to be sent, as far as that is quickly done.
func (s *session) flush() {
	_ = s.nc.SetWriteDeadline(time.Now().Add(lingerTime))
	for {
		s.send()
		s.mu.Lock()
		for s.sending {
			s.sent.Wait()
		}
		done := len(s.out) == 0 || s.mute
		s.mu.Unlock()
		if done {
			return
		}
	}
}

// Bounds of the wait for a peer that may still be sending.
const (
	lingerTime  = time.Second
	lingerBytes = 256 << 10
)

// linger ends the sending direction and takes what still comes: closing over
// unread bytes would make the kernel destroy what was sent last on its way.
func (s *session) linger() {
	half, ok := s.nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = s.nc.SetReadDeadline(time.Now().Add(lingerTime))
	p := s.pools.get(middleBuffer)
	defer s.pools.put(p)
	for taken := 0; taken < lingerBytes; {
		n, err := s.nc.Read(p[:cap(p)])
		if err != nil {
			return
		}
		taken += n
	}
}

// noteClosedLocked remembers a stream that has ended.
func (s *session) noteClosedLocked(id uint32, ourReset bool) {
	i := s.closedAt % closedKept
	s.closedAt++
	s.closed[i] = id
	s.ourReset &^= 1 << i
	if ourReset {
		s.ourReset |= 1 << i
	}
}

// forgetResetLocked notes that the peer has ended a stream too: nothing of it can be
// on its way any more.
func (s *session) forgetResetLocked(id uint32) {
	for i, other := range s.closed {
		if other == id {
			s.ourReset &^= 1 << i
		}
	}
}

// wasClosedLocked reports whether a stream has ended not long ago, and whether
// that was by our reset.
func (s *session) wasClosedLocked(id uint32) (known, ourReset bool) {
	for i, other := range s.closed {
		if other == id {
			return true, s.ourReset&(1<<i) != 0
		}
	}
	return false, false
}
