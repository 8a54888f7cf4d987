package http2

import "sync"

// Sizes of buffers. The middle one takes the largest frame with its header.
const (
	smallBuffer  = 4 << 10
	middleBuffer = 20 << 10
	largeBuffer  = 80 << 10
)

// buffers are pools of byte slices by size.
type buffers struct{ small, middle, large sync.Pool }

func newBuffers() *buffers {
	return &buffers{
		small:  sync.Pool{New: func() any { return new([smallBuffer]byte) }},
		middle: sync.Pool{New: func() any { return new([middleBuffer]byte) }},
		large:  sync.Pool{New: func() any { return new([largeBuffer]byte) }},
	}
}

// get takes an empty buffer with room for n octets.
func (b *buffers) get(n int) []byte {
	switch {
	case n <= smallBuffer:
		return b.small.Get().(*[smallBuffer]byte)[:0]
	case n <= middleBuffer:
		return b.middle.Get().(*[middleBuffer]byte)[:0]
	case n <= largeBuffer:
		return b.large.Get().(*[largeBuffer]byte)[:0]
	}
	return make([]byte, 0, n)
}

// put gives a buffer from get back, or any other to the garbage.
func (b *buffers) put(p []byte) {
	switch cap(p) {
	case smallBuffer:
		b.small.Put((*[smallBuffer]byte)(p[:smallBuffer]))
	case middleBuffer:
		b.middle.Put((*[middleBuffer]byte)(p[:middleBuffer]))
	case largeBuffer:
		b.large.Put((*[largeBuffer]byte)(p[:largeBuffer]))
	}
}

// grow returns p in a buffer with room for n octets more; p's own goes back.
func (b *buffers) grow(p []byte, n int) []byte {
	if cap(p)-len(p) >= n {
		return p
	}
	q := append(b.get(len(p)+n), p...)
	b.put(p)
	return q
}
