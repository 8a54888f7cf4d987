// Package hpack compresses header fields for HTTP/2 (RFC 7541). A Decoder keeps
// the table of one connection and allocates nothing once that has grown; the
// Append functions encode without a table, as nginx does, so that they need no
// lock and no order. Neither knows what a field means. Not for use by several
// goroutines at once.
package hpack

import (
	"errors"
	"io"
	"unsafe"
)

// Field is a decoded field. The strings are views of the Arena or constants.
type Field struct {
	Name, Value string
	Tag         uint16 // what the Decoder's Tagger made of the name
	Static      uint8  // the first entry of the static table with this name, or 0
	Never       bool   // must stay a literal on every hop (RFC 7541, 6.2.3)
}

// Tagger makes a number of a name. It is asked once for a name that the peer has
// put into the table, and so can afford to look closely.
type Tagger func(name string) uint16

// Arena holds the octets of a block's strings, at most Limit of them.
type Arena struct {
	Limit int
	b     []byte
	over  bool
}

// NewArena returns an arena over b's room, for strings of limit octets in all.
func NewArena(b []byte, limit int) Arena { return Arena{Limit: limit, b: b[:0]} }

// Over reports whether the fields were too many. The strings decoded so far are
// then not to be used.
func (a *Arena) Over() bool { return a.over }

// Bytes is the arena's buffer, for use by another arena once no view of it is
// left.
func (a *Arena) Bytes() []byte { return a.b }

// check ends the growth of an arena that is too full: what follows overwrites
// what was there.
func (a *Arena) check() {
	if a.over = a.over || len(a.b) > a.Limit; a.over {
		a.b = a.b[:0]
	}
}

// since is what was appended from the offset on, as a string.
func (a *Arena) since(from int) string {
	p := a.b[from:]
	return unsafe.String(unsafe.SliceData(p), len(p))
}

func (a *Arena) add(p []byte) string {
	from := len(a.b)
	a.b = append(a.b, p...)
	return a.since(from)
}

// The errors of decoding. All are a COMPRESSION_ERROR of the connection.
var (
	errIndex   = errors.New("index beyond the tables")
	errInteger = errors.New("bad integer")
	errShort   = errors.New("block ends within a field")
	errResize  = errors.New("table size update out of place or too large")
)

// Decoder decodes the header blocks of a connection, in their order.
type Decoder struct {
	table  table
	limit  int // of the table's size, as we have announced it
	tagger Tagger
	tags   *StaticTags

	// Of the block under way.
	p     []byte
	first bool // no field came yet
}

// StaticTags are the tags of the static table's names, which all decoders with
// one Tagger share.
type StaticTags [staticLen + 1]uint16

// NewStaticTags asks tagger for all names of the static table.
func NewStaticTags(tagger Tagger) *StaticTags {
	t := &StaticTags{}
	for i := 1; i <= staticLen; i++ {
		t[i] = tagger(staticTable[i].name)
	}
	return t
}

// NewDecoder creates a decoder whose peer may use a table of limit octets.
func NewDecoder(limit int, tagger Tagger, tags *StaticTags) *Decoder {
	return &Decoder{limit: limit, tagger: tagger, tags: tags, table: table{max: limit}}
}

// Start begins a block, which must lie still until it is decoded.
func (d *Decoder) Start(block []byte) { d.p, d.first = block, true }

// Next decodes the next field into a. It returns io.EOF at the end of the block;
// after any other error the decoder is of no use.
func (d *Decoder) Next(a *Arena) (f Field, err error) {
	for len(d.p) > 0 {
		c := d.p[0]
		switch {
		case c&0x80 != 0:
			d.first = false
			return d.indexed(a)
		case c&0x40 != 0:
			d.first = false
			if f, err = d.literal(a, 6); err == nil {
				d.table.insert(&f)
			}
			return f, err
		case c&0x20 != 0:
			if err := d.resize(); err != nil {
				return f, err
			}
		default:
			d.first = false
			f, err = d.literal(a, 4)
			f.Never = c&0x10 != 0
			return f, err
		}
	}
	return f, io.EOF
}

// resize takes a table size update, which may come at a block's beginning only.
func (d *Decoder) resize() error {
	n, err := d.integer(5)
	if err != nil {
		return err
	}
	if !d.first || n > uint64(d.limit) {
		return errResize
	}
	d.table.resize(int(n))
	return nil
}

// indexed decodes a field that lies in a table whole.
func (d *Decoder) indexed(a *Arena) (f Field, err error) {
	i, err := d.integer(7)
	switch {
	case err != nil:
		return f, err
	case i == 0:
		return f, errIndex
	case i <= staticLen:
		e := &staticTable[i]
		a.check()
		return Field{Name: e.name, Value: e.value, Static: nameIndex[i], Tag: d.tags[i]}, nil
	}
	e, ok := d.table.at(i - staticLen - 1)
	if !ok {
		return f, errIndex
	}
	f.Tag, f.Static = e.tag, e.static
	if a.check(); a.over { // a bomb is not unpacked
		return f, nil
	}
	if e.static > 0 {
		f.Name = staticTable[e.static].name
	} else {
		f.Name = a.add(d.table.nameOf(e))
	}
	f.Value = a.add(d.table.valueOf(e))
	return f, nil
}

// literal decodes a field whose value is spelled out, and whose name's index has
// so many bits.
func (d *Decoder) literal(a *Arena, bits uint) (f Field, err error) {
	i, err := d.integer(bits)
	if err != nil {
		return f, err
	}
	a.check()
	switch {
	case i == 0:
		if f.Name, err = d.text(a); err != nil {
			return f, err
		}
		f.Tag = d.tagger(f.Name)
	case i <= staticLen:
		f.Name, f.Tag, f.Static = staticTable[i].name, d.tags[i], nameIndex[i]
	default:
		e, ok := d.table.at(i - staticLen - 1)
		if !ok {
			return f, errIndex
		}
		f.Tag, f.Static = e.tag, e.static
		f.Name = a.add(d.table.nameOf(e))
	}
	f.Value, err = d.text(a)
	return f, err
}

// text decodes a string into a.
func (d *Decoder) text(a *Arena) (string, error) {
	if len(d.p) == 0 {
		return "", errShort
	}
	packed := d.p[0]&0x80 != 0
	n, err := d.integer(7)
	if err != nil {
		return "", err
	}
	if n > uint64(len(d.p)) {
		return "", errShort
	}
	p := d.p[:n]
	d.p = d.p[n:]
	if !packed {
		return a.add(p), nil
	}
	from := len(a.b)
	if a.b, err = appendHuffman(a.b, p); err != nil {
		return "", err
	}
	return a.since(from), nil
}

// integer decodes an integer whose first octet has so many bits of it (RFC 7541,
// 5.1). Above 28 bits more is an error: nothing here is that large.
func (d *Decoder) integer(bits uint) (uint64, error) {
	most := uint64(1)<<bits - 1
	n := uint64(d.p[0]) & most
	d.p = d.p[1:]
	if n < most {
		return n, nil
	}
	for shift := uint(0); shift < 28; shift += 7 {
		if len(d.p) == 0 {
			return 0, errShort
		}
		c := d.p[0]
		d.p = d.p[1:]
		n += uint64(c&0x7f) << shift
		if c&0x80 == 0 {
			return n, nil
		}
	}
	return 0, errInteger
}
