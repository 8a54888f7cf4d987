package logs

import (
	"cmp"
	"container/heap"
)

// merge gives the events of several streams in the order of their times, those
// of one millisecond by the streams' names.
type merge struct {
	forward bool
	heads   []head // a heap of the streams that may have more
}

// head is a stream and a position before which it has no more events. The
// event itself need not be read yet, so that a search over a thousand streams
// does not begin by reading a block of each.
type head struct {
	stream string
	cursor *cursor
	at     position
}

// add adds a stream, unless it has nothing to give.
func (m *merge) add(stream string, c *cursor) {
	if at, ok := c.bound(); ok {
		heap.Push(m, head{stream, c, at})
	}
}

// next takes the next event.
func (m *merge) next() (e event, stream string, ok bool, err error) {
	for len(m.heads) > 0 {
		h, _ := heap.Pop(m).(head)
		e, ok, err := h.cursor.peek()
		if err != nil {
			return event{}, "", false, err
		}
		if ok && e.position == h.at {
			h.cursor.take()
			m.add(h.stream, h.cursor)
			return e, h.stream, true, nil
		}
		if ok { // its place among the others is another than thought
			heap.Push(m, head{h.stream, h.cursor, e.position})
		}
	}
	return event{}, "", false, nil
}

// Len, Less, Swap, Push and Pop are for container/heap.

// Len is the number of streams that have more.
func (m *merge) Len() int { return len(m.heads) }

// Less orders streams by their next event.
func (m *merge) Less(i, k int) bool {
	a, b := m.heads[i], m.heads[k]
	c := cmp.Or(cmp.Compare(a.at.ms, b.at.ms), cmp.Compare(a.stream, b.stream), cmp.Compare(a.at.seq, b.at.seq))
	return c < 0 == m.forward && c != 0
}

// Swap swaps two streams.
func (m *merge) Swap(i, k int) { m.heads[i], m.heads[k] = m.heads[k], m.heads[i] }

// Push adds a stream.
func (m *merge) Push(x any) {
	if h, ok := x.(head); ok {
		m.heads = append(m.heads, h)
	}
}

// Pop takes the last stream.
func (m *merge) Pop() any {
	last := m.heads[len(m.heads)-1]
	m.heads = m.heads[:len(m.heads)-1]
	return last
}
