package hpack

import "errors"

// codeLengths is the length in bits of each octet's code (RFC 7541, appendix B).
// The code is canonical: the lengths are all that there is to know.
//
//nolint:gochecknoglobals // a constant table, which Go cannot declare as one
var codeLengths = [256]uint8{
	13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
	28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
	6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
	5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
	13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
	15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
	6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
	20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
	24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
	22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
	21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
	26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
	19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
	20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
	26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
}

const (
	shortBits = 10 // codes up to here are found in one step; text has few longer ones
	longest   = 30
)

// huffmanTable is the code as decoding needs it.
type huffmanTable struct {
	short [1 << shortBits]shortCode // by the next bits; length 0 for longer codes
	// Codes in order of length, then octet: limit[n] is the first code of more
	// than n bits, left-justified in 32 bits, and symbol[offset[n]+code] the octet
	// of a code of n bits.
	limit  [longest + 1]uint64
	offset [longest + 1]int
	symbol [256]uint8
}

type shortCode struct{ symbol, length uint8 }

//nolint:gochecknoglobals // a constant table, which Go cannot declare as one
var huffman = newHuffmanTable()

func newHuffmanTable() *huffmanTable {
	t := &huffmanTable{}
	code, next := 0, 0
	for n := 1; n <= longest; n++ {
		code <<= 1
		t.offset[n] = next - code
		for s, length := range codeLengths {
			if int(length) != n {
				continue
			}
			t.symbol[next] = uint8(s)
			if n <= shortBits {
				free := shortBits - n
				for i := range 1 << free {
					t.short[code<<free|i] = shortCode{uint8(s), uint8(n)}
				}
			}
			next++
			code++
		}
		t.limit[n] = uint64(code) << (32 - n)
	}
	return t
}

var errHuffman = errors.New("bad Huffman code")

// appendHuffman appends what p encodes to out.
func appendHuffman(out, p []byte) ([]byte, error) {
	var bits uint64 // the next ones first
	held := 0
	for {
		for held <= 56 && len(p) > 0 {
			bits |= uint64(p[0]) << (56 - held)
			held += 8
			p = p[1:]
		}
		c := huffman.short[bits>>(64-shortBits)]
		if c.length == 0 {
			c = huffman.long(bits)
		}
		if c.length == 0 || int(c.length) > held {
			break
		}
		out = append(out, c.symbol)
		bits <<= c.length
		held -= int(c.length)
	}
	// What remains is the end of the last octet, filled with ones.
	if held > 7 || bits != ^uint64(0)<<(64-held) {
		return out, errHuffman
	}
	return out, nil
}

// long finds a code that the short table lacks; length 0 if there is none.
func (t *huffmanTable) long(bits uint64) shortCode {
	next := bits >> 32
	for n := shortBits + 1; n <= longest; n++ {
		if next < t.limit[n] {
			return shortCode{t.symbol[t.offset[n]+int(next>>(32-n))], uint8(n)}
		}
	}
	return shortCode{}
}
