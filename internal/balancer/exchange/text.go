package exchange

import (
	"strconv"
	"unsafe"
)

// view returns p as a string, without copying.
func view(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }

// octets returns s as bytes that must not be written to, without copying.
func octets(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// text is where new values of fields are written. Strings taken from it stay
// valid until reset, also when it grows.
type text struct {
	b    []byte
	from int
}

func (t *text) reset() { t.b, t.from = t.b[:0], 0 }

func (t *text) add(s string) *text {
	t.b = append(t.b, s...)
	return t
}

func (t *text) int(n int64) *text {
	t.b = strconv.AppendInt(t.b, n, 10)
	return t
}

// take returns what was added since the last take.
func (t *text) take() string {
	s := view(t.b[t.from:])
	t.from = len(t.b)
	return s
}
