package hpack

import "strconv"

// AppendStatus appends :status to a block.
func AppendStatus(out []byte, status int) []byte {
	switch status {
	case 200:
		return append(out, 0x80|8)
	case 204:
		return append(out, 0x80|9)
	case 206:
		return append(out, 0x80|10)
	case 304:
		return append(out, 0x80|11)
	case 400:
		return append(out, 0x80|12)
	case 404:
		return append(out, 0x80|13)
	case 500:
		return append(out, 0x80|14)
	}
	out = append(out, 8, 3)
	return strconv.AppendInt(out, int64(status), 10)
}

// AppendEmptyTable appends the update by which the encoder's table is none, due at
// the beginning of a block after the peer has changed its limit.
func AppendEmptyTable(out []byte) []byte { return append(out, 0x20) }

// AppendIndexed appends a whole entry of the static table.
func AppendIndexed(out []byte, static uint8) []byte { return append(out, 0x80|static) }

// AppendField appends a field as a literal outside the table, its name in lower
// case. Strings are not packed: on the way to a machine nearby that takes more
// time than it saves.
func AppendField(out []byte, name, value string) []byte {
	at := len(out)
	out = append(out, 0, 0)
	if len(name) >= 0x7f {
		out = appendInteger(out[:at+1], 0, 7, uint64(len(name)))
	} else {
		out[at+1] = byte(len(name))
	}
	from := len(out)
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		out = append(out, c)
	}
	if i := staticName(out[from:]); i > 0 {
		out = appendInteger(out[:at], 0, 4, uint64(i))
	}
	out = appendInteger(out, 0, 7, uint64(len(value)))
	return append(out, value...)
}

// AppendNever appends a field that no hop may put into a table.
func AppendNever(out []byte, name, value string) []byte {
	at := len(out)
	out = AppendField(out, name, value)
	out[at] |= 0x10
	return out
}

// appendInteger appends n with its first bits in an octet that has the bits of
// first above them.
func appendInteger(out []byte, first byte, bits uint, n uint64) []byte {
	most := uint64(1)<<bits - 1
	if n < most {
		return append(out, first|byte(n))
	}
	out = append(out, first|byte(most))
	for n -= most; n >= 0x80; n >>= 7 {
		out = append(out, byte(n)|0x80)
	}
	return append(out, byte(n))
}

//nolint:gochecknoglobals // constant tables, which Go cannot declare as such
var (
	nameIndex = newNameIndex() // the first entry with the name of each
	nameSlot  = newNameSlots() // by hash, under which no two names are the same
)

func newNameIndex() (first [staticLen + 1]uint8) {
	for i := 1; i <= staticLen; i++ {
		first[i] = uint8(i)
		if staticTable[i].name == staticTable[i-1].name {
			first[i] = first[i-1]
		}
	}
	return first
}

func newNameSlots() (slots [256]uint8) {
	for i := 1; i <= staticLen; i++ {
		slots[hash([]byte(staticTable[i].name))] = nameIndex[i]
	}
	return slots
}

func hash(name []byte) uint8 {
	n := len(name)
	return uint8(n)*167 + name[0]*209 + name[n-1]*61 + name[n/2]*9
}

// staticName is the first entry of the static table with this name, or 0.
func staticName(name []byte) uint8 {
	if len(name) == 0 {
		return 0
	}
	if i := nameSlot[hash(name)]; staticTable[i].name == string(name) {
		return i
	}
	return 0
}
