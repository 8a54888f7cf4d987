package metric

import (
	"encoding/binary"
	"math"
)

// decodeBlock returns the points of a block, oldest first, in the space of points
// if there is enough. They share nothing with data.
func decodeBlock(points []point, data []byte, start, step int64) ([]point, error) {
	r := reader{data: data}
	points = points[:0]
	at, last := start, point{}
	for r.left() > 0 && !r.bad {
		head := r.uvarint()
		at += int64(head>>1) * step
		if head&1 == 1 {
			last = r.payload()
		} else if len(points) == 0 {
			r.bad = true
		}
		last.at = at
		points = append(points, last)
	}
	if r.bad {
		return nil, errBlock
	}
	return points, nil
}

// reader takes a block apart; bad is set once it does not make sense.
type reader struct {
	data []byte
	at   int
	bad  bool
}

func (r *reader) left() int { return len(r.data) - r.at }

func (r *reader) advance(n int) {
	if n <= 0 || n > r.left() {
		r.bad = true
		n = r.left()
	}
	r.at += n
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data[r.at:])
	r.advance(n)
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.data[r.at:])
	r.advance(n)
	return v
}

func (r *reader) number() float64 {
	u := r.uvarint()
	if u&1 == 0 {
		u >>= 1
		return float64(int64(u>>1) ^ -int64(u&1))
	}
	if r.left() < 8 {
		r.bad = true
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.data[r.at:]))
	r.advance(8)
	return v
}

func (r *reader) payload() point {
	if r.left() == 0 {
		r.bad = true
		return point{}
	}
	kind := r.data[r.at]
	r.advance(1)
	if kind == kindEqual {
		n, v := r.number(), r.number()
		return point{n: n, sum: n * v, min: v, max: v}
	}
	p := point{n: r.number(), sum: r.number(), min: r.number(), max: r.number(), blind: kind == kindBlind}
	if kind != kindBins {
		r.bad = r.bad || kind > kindBlind
		return p
	}
	size := r.uvarint()
	if size > uint64(r.left()) { // each bin takes at least two bytes
		r.bad = true
		return p
	}
	p.bins = make([]bin, 0, size)
	key, total := int64(0), 0.0
	for range size {
		key += r.varint()
		count := float64(r.uvarint())
		total += count
		p.bins = append(p.bins, bin{int32(key), count})
	}
	if scale := p.n / total; math.Abs(scale-1) > 1e-12 {
		for i := range p.bins {
			p.bins[i].count *= scale
		}
	}
	return p
}
