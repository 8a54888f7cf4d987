package metric

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// A block holds the points of one series over one stretch of time, oldest
// first. It is written at its end only, so that a reader may keep what it has.
//
//	point   = uvarint(steps<<1 | given) [payload]
//	payload = kind [fields]
//
// steps counts from the point before (from the block's start for the first).
// When given is 0 the payload is that of the point before: a series that does
// not change costs one byte a point. A number is one uvarint when it is whole
// and small, else a 1 and 8 bytes.
const (
	kindEqual   = iota // n, value
	kindPair           // n, sum, min, max; the bins are implied
	kindBins           // n, sum, min, max, then key and count of each bin
	kindBlind          // n, sum, min, max; no distribution
	countScale  = 4096 // fractional bin counts are written as shares of this
	maxWholeNum = 1 << 52
)

var errBlock = errors.New("datapoint block is damaged")

// block is one being written.
type block struct {
	start, step int64
	data        []byte
	lastAt      int64
	payload     []byte // of the last point, a part of data
}

// put adds p at its time, merging it into a point of the same step.
func (b *block) put(p point) error {
	if len(b.data) == 0 || p.at > b.lastAt {
		b.append(p)
		return nil
	}
	points, err := decodeBlock(nil, b.data, b.start, b.step)
	if err != nil {
		return err
	}
	i, found := slices.BinarySearchFunc(points, p.at, func(q point, at int64) int { return int(q.at - at) })
	if found {
		points[i].add(p)
	} else {
		points = slices.Insert(points, i, p)
	}
	*b = encodeBlock(points, b.start, b.step)
	return nil
}

func (b *block) append(p point) {
	from := b.start
	if len(b.data) > 0 {
		from = b.lastAt
	}
	steps := uint64((p.at-from)/b.step) << 1
	payload := appendPayload(make([]byte, 0, 48), p)
	b.lastAt = p.at
	if bytes.Equal(payload, b.payload) {
		b.data = binary.AppendUvarint(b.data, steps)
		return
	}
	b.data = binary.AppendUvarint(b.data, steps|1)
	at := len(b.data)
	b.data = append(b.data, payload...)
	b.payload = b.data[at:]
}

func encodeBlock(points []point, start, step int64) block {
	b := block{start: start, step: step}
	for _, p := range points {
		b.append(p)
	}
	return b
}

// openBlock continues a block that was written before.
func openBlock(data []byte, start, step int64) (block, error) {
	points, err := decodeBlock(nil, data, start, step)
	if err != nil {
		return block{}, err
	}
	return encodeBlock(points, start, step), nil
}

func appendNumber(b []byte, v float64) []byte {
	if v == math.Trunc(v) && math.Abs(v) < maxWholeNum {
		whole := int64(v)
		return binary.AppendUvarint(b, uint64(whole<<1^whole>>63)<<1)
	}
	return binary.LittleEndian.AppendUint64(append(b, 1), math.Float64bits(v))
}

func appendPayload(b []byte, p point) []byte {
	if p.n == 0 {
		p.min, p.max = 0, 0
	}
	if p.min == p.max && p.sum == p.n*p.min && !p.blind {
		return appendNumber(appendNumber(append(b, kindEqual), p.n), p.min)
	}
	kind := byte(kindBins)
	switch {
	case p.blind:
		kind = kindBlind
	case p.bins == nil:
		kind = kindPair
	}
	b = append(b, kind)
	for _, v := range [...]float64{p.n, p.sum, p.min, p.max} {
		b = appendNumber(b, v)
	}
	if kind != kindBins {
		return b
	}
	// Counts that a roll-up has divided are written as shares; reading
	// scales them back to n.
	scale := 1.0
	if slices.ContainsFunc(p.bins, func(x bin) bool { return x.count != math.Trunc(x.count) }) {
		scale = countScale / p.n
	}
	b = binary.AppendUvarint(b, uint64(len(p.bins)))
	last := int32(0)
	for _, x := range p.bins {
		b = binary.AppendVarint(b, int64(x.key-last))
		b = binary.AppendUvarint(b, uint64(max(1, math.Round(x.count*scale))))
		last = x.key
	}
	return b
}
