package sim

import (
	"math"
	"time"
)

// series keeps the newest readings of a metric in cells of some seconds, of
// which all periods and turns are made.
type series struct {
	each  int64 // seconds of a cell
	cells []cell
}

type cell struct {
	number int64 // since the epoch
	gauge
}

// newSeries has room for so much time, and for the cell that begins.
func newSeries(each, length time.Duration) series {
	return series{each: int64(each / time.Second), cells: make([]cell, int64(length/each)+1)}
}

// cell returns the one that a moment falls into.
func (s series) cell(at time.Time) *gauge {
	n := s.number(at)
	c := &s.cells[s.index(n)]
	if c.number != n {
		c.number, c.gauge = n, gauge{}
	}
	return &c.gauge
}

func (s series) between(from, to time.Time) gauge {
	var g gauge
	for n := s.number(from); n < s.number(to); n++ {
		if c := &s.cells[s.index(n)]; c.number == n {
			g.join(c.gauge)
		}
	}
	return g
}

func (s series) index(n int64) int64 {
	k := int64(len(s.cells))
	return (n%k + k) % k
}

func (s series) number(at time.Time) int64 {
	return int64(math.Floor(float64(at.Unix()) / float64(s.each)))
}
