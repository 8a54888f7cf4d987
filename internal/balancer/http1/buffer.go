package http1

import "sync"

// Sizes of buffers. A client's begins small, since most connections are idle;
// the large one takes the longest head with room for a body behind it.
const (
	smallBuffer  = 4 << 10
	middleBuffer = 32 << 10
	largeBuffer  = 128 << 10
	streamBuffer = 16 << 10 // what is passed on at once of an answer
)

// buffers are a codec's pools of byte slices by size.
type buffers struct{ small, middle, large sync.Pool }

func newBuffers() *buffers {
	return &buffers{
		small:  sync.Pool{New: func() any { return new([smallBuffer]byte) }},
		middle: sync.Pool{New: func() any { return new([middleBuffer]byte) }},
		large:  sync.Pool{New: func() any { return new([largeBuffer]byte) }},
	}
}

// get takes a buffer of at least n octets.
func (p *buffers) get(n int) []byte {
	switch {
	case n <= smallBuffer:
		return p.small.Get().(*[smallBuffer]byte)[:]
	case n <= middleBuffer:
		return p.middle.Get().(*[middleBuffer]byte)[:]
	case n <= largeBuffer:
		return p.large.Get().(*[largeBuffer]byte)[:]
	}
	return make([]byte, n) // a body behind the largest head
}

// put gives a buffer from get back.
func (p *buffers) put(b []byte) {
	switch cap(b) {
	case smallBuffer:
		p.small.Put((*[smallBuffer]byte)(b[:smallBuffer]))
	case middleBuffer:
		p.middle.Put((*[middleBuffer]byte)(b[:middleBuffer]))
	case largeBuffer:
		p.large.Put((*[largeBuffer]byte)(b[:largeBuffer]))
	}
}

// maxKept is how large a slice may be to be kept for later requests.
const maxKept = 64 << 10

// shrink is p to be used again, unless it has grown too large to be kept.
func shrink(p []byte) []byte {
	if cap(p) > maxKept {
		return nil
	}
	return p[:0]
}

// buffer holds what was read and not yet used: b[r:w].
type buffer struct {
	pools *buffers
	b     []byte
	old   []byte // was b when the request was parsed
	r, w  int
}

// space makes room to read a head into, moving what is unread to the front of
// the buffer or to a larger one. It reports false if the largest is full.
func (b *buffer) space() bool {
	switch {
	case b.b == nil:
		b.b = b.pools.get(smallBuffer)
	case b.r == b.w:
		b.r, b.w = 0, 0
	case b.w < len(b.b):
	case b.r > 0:
		b.w = copy(b.b, b.b[b.r:b.w])
		b.r = 0
	case len(b.b) >= largeBuffer:
		return false
	default:
		old := b.b
		b.b = b.pools.get(len(old) + 1)
		copy(b.b, old[:b.w])
		b.pools.put(old)
	}
	return true
}

// reserve grows the buffer to at least n octets. Offsets stay, and what
// looks into the old buffer stays valid until rest.
func (b *buffer) reserve(n int) {
	if n <= len(b.b) {
		return
	}
	next := b.pools.get(n)
	copy(next, b.b[:b.w])
	if b.old == nil {
		b.old = b.b
	}
	b.b = next
}

// release gives everything back, and forgets what is unread.
func (b *buffer) release() {
	b.rest()
	if b.b != nil {
		b.pools.put(b.b)
	}
	b.b, b.r, b.w = nil, 0, 0
}

// rest gives back what the last request needed no longer.
func (b *buffer) rest() {
	if b.old != nil {
		b.pools.put(b.old)
		b.old = nil
	}
	if b.r == b.w && len(b.b) > smallBuffer {
		b.pools.put(b.b)
		b.b, b.r, b.w = b.pools.get(smallBuffer), 0, 0
	}
}
