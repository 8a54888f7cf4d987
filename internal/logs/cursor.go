package logs

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"slices"
)

// span is what of a stream is wanted, and in which order.
type span struct {
	forward  bool     // oldest first
	from     position // forward: events at or after it; else: events before it
	startMS  int64    // inclusive
	beforeMS int64    // exclusive
}

// whole spans all events.
func whole(forward bool) span {
	s := span{forward: forward, beforeMS: math.MaxInt64, startMS: math.MinInt64}
	s.from = position{math.MinInt64, 0}
	if !forward {
		s.from = position{math.MaxInt64, math.MaxUint64}
	}
	return s
}

func (s span) holds(p position) bool {
	return p.ms >= s.startMS && p.ms < s.beforeMS && (p.compare(s.from) >= 0) == s.forward
}

// overlaps reports whether a block may hold wanted events.
func (s span) overlaps(b block) bool {
	if b.max.ms < s.startMS || b.min.ms >= s.beforeMS {
		return false
	}
	if s.forward {
		return b.max.compare(s.from) >= 0
	}
	return b.min.compare(s.from) < 0
}

// order compares in the direction of the span.
func (s span) order(p, q position) int {
	if s.forward {
		return p.compare(q)
	}
	return q.compare(p)
}

// near is the end of a block that comes first in the direction of the span.
func (s span) near(b block) position {
	if s.forward {
		return b.min
	}
	return b.max
}

// cursor gives the events of a stream in order, reading block by block. Blocks
// may overlap, as events need not come in the order of their times: it reads
// every block that could hold an earlier event before it gives one.
type cursor struct {
	span   span
	blocks []block // to be read, nearest first
	ready  []event // in order
}

func newCursor(j *journal, s span) *cursor {
	c := &cursor{span: s}
	for _, b := range j.blocks() {
		if s.overlaps(b) {
			c.blocks = append(c.blocks, b)
		}
	}
	slices.SortFunc(c.blocks, func(a, b block) int { return s.order(s.near(a), s.near(b)) })
	return c
}

// peek returns the next event without taking it.
func (c *cursor) peek() (event, bool, error) {
	for len(c.blocks) > 0 && (len(c.ready) == 0 || c.span.order(c.span.near(c.blocks[0]), c.ready[0].position) < 0) {
		if err := c.load(c.blocks[0]); err != nil {
			return event{}, false, err
		}
		c.blocks = c.blocks[1:]
	}
	if len(c.ready) == 0 {
		return event{}, false, nil
	}
	return c.ready[0], true, nil
}

// bound returns a position that the next event is not before, without reading.
func (c *cursor) bound() (position, bool) {
	switch {
	case len(c.ready) > 0 && (len(c.blocks) == 0 || c.span.order(c.ready[0].position, c.span.near(c.blocks[0])) <= 0):
		return c.ready[0].position, true
	case len(c.blocks) > 0:
		return c.span.near(c.blocks[0]), true
	}
	return position{}, false
}

// take takes the event that peek gave.
func (c *cursor) take() { c.ready = c.ready[1:] }

func (c *cursor) load(b block) error {
	data := make([]byte, b.size)
	f, err := os.Open(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // grown too old meanwhile
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.ReadAt(data, b.at); err != nil {
		return err
	}
	for len(data) > 0 {
		e, n, err := readRecord(data)
		if err != nil {
			return err
		}
		data = data[n:]
		if c.span.holds(e.position) {
			c.ready = append(c.ready, e)
		}
	}
	slices.SortFunc(c.ready, func(a, b event) int { return c.span.order(a.position, b.position) })
	return nil
}
