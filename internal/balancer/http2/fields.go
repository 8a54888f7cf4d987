package http2

import (
	"errors"
	"io"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/http2/hpack"
	"neargate/internal/balancer/octet"
)

// The tag of a name: what exchange knows it as, or a mark of our own, and flags.
const (
	tagID     uint16 = 0xff
	tagBad    uint16 = 1 << 8  // no name that HTTP/2 has
	tagPlain  uint16 = 1 << 9  // of letters, digits and hyphens
	tagPseudo uint16 = 1 << 10 // begins with a colon

	tagUnknown   uint16 = 199 // a pseudo-field that nobody knows
	tagCookie    uint16 = 200
	tagMethod    uint16 = 201
	tagScheme    uint16 = 202
	tagAuthority uint16 = 203
	tagPath      uint16 = 204
	tagProtocol  uint16 = 205
	tagStatus    uint16 = 206
)

// tags are the tags of all names, for decoders.
type tags struct{ static *hpack.StaticTags }

func newTags() *tags {
	t := &tags{}
	t.static = hpack.NewStaticTags(t.of)
	return t
}

// of is the tag of a name.
func (*tags) of(name string) uint16 {
	switch name {
	case ":method":
		return tagPseudo | tagMethod
	case ":scheme":
		return tagPseudo | tagScheme
	case ":authority":
		return tagPseudo | tagAuthority
	case ":path":
		return tagPseudo | tagPath
	case ":protocol":
		return tagPseudo | tagProtocol
	case ":status":
		return tagPseudo | tagStatus
	case "cookie":
		return tagCookie | tagPlain
	case "":
		return tagBad
	}
	if name[0] == ':' {
		return tagPseudo | tagUnknown
	}
	tag := uint16(exchange.KnownField(name)) | tagPlain
	for i := range len(name) {
		switch c := name[i]; {
		case !octet.Is(c, octet.LowerToken):
			return tagBad
		case !octet.Is(c, octet.Plain):
			tag &^= tagPlain
		}
	}
	return tag
}

// block is a decoded header block.
type block struct {
	fields []exchange.Field
	arena  []byte
}

// release gives the buffer back. No view of it is left.
func (b *block) release(pools *buffers) {
	pools.put(b.arena)
	clear(b.fields)
	b.arena, b.fields = nil, b.fields[:0]
}

// Faults of a message. Those of requests end their stream with PROTOCOL_ERROR.
var (
	errBadField   = malformed("BadHeader")
	errBadMethod  = malformed("BadMethod")
	errBadURI     = malformed("BadUri")
	errBadLength  = malformed("BadContentLength")
	errBadScheme  = malformed("BadScheme")
	errBadHost    = malformed("BadHost")
	errPseudo     = malformed("BadPseudoHeader")
	errHopField   = malformed("ConnectionHeader")
	errTrailer    = malformed("BadTrailer")
	errLarge      = &exchange.Fault{Status: 400, Reason: "HeaderSize", Class: exchange.Severe}
	errURITooLong = &exchange.Fault{Status: 414, Reason: "UriTooLong", Class: exchange.Severe}
	errTrace      = &exchange.Fault{Status: 405, Reason: "Trace"}
)

func malformed(reason string) *exchange.Fault {
	return &exchange.Fault{Status: 400, Reason: reason, Class: exchange.Severe}
}

// maxFields bounds the work that one head can cause.
const maxFields = 500

// fieldTaker takes the fields of a block.
type fieldTaker interface {
	// take takes a field; a fault ends the message, not the block.
	take(f *hpack.Field) *exchange.Fault
}

// decode decodes a block for t into b. An error ends the connection.
func (s *session) decode(b *block, p []byte, t fieldTaker) (*exchange.Fault, error) {
	if cap(b.arena) == 0 {
		b.arena = s.pools.get(max(smallBuffer, min(2*len(p), largeBuffer)))
	}
	arena := hpack.NewArena(b.arena, maxList)
	s.dec.Start(p)
	var bad *exchange.Fault
	size := 0
	for n := 0; ; n++ {
		f, err := &s.field, error(nil)
		*f, err = s.dec.Next(&arena)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, &connError{compressionError, err.Error()}
		}
		size += len(f.Name) + len(f.Value) + len(": \r\n")
		switch {
		case arena.Over() || size > maxList || n > maxFields:
			bad = errLarge
		case bad == nil:
			bad = t.take(f)
		}
	}
	b.arena = arena.Bytes()
	return bad, nil
}

// check looks at what every field must have.
func check(f *hpack.Field) *exchange.Fault {
	if f.Tag&tagBad != 0 || !cleanValue(f.Value) {
		return errBadField
	}
	switch exchange.FieldID(f.Tag & tagID) {
	case exchange.ConnectionField, exchange.KeepAliveField, exchange.ProxyConnectionField,
		exchange.TransferEncodingField, exchange.UpgradeField:
		return errHopField
	case exchange.TEField:
		if f.Value != "trailers" {
			return errHopField
		}
	default: // all else may have any value
	}
	return nil
}

// idOf is a field's id as exchange has it.
func idOf(tag uint16) exchange.FieldID {
	if tag&tagID >= tagUnknown {
		return exchange.OtherField
	}
	return exchange.FieldID(tag & tagID)
}

// take takes a trailer.
func (b *block) take(f *hpack.Field) *exchange.Fault {
	if f.Tag&tagPseudo != 0 {
		return errPseudo
	}
	if err := check(f); err != nil {
		return err
	}
	if id := idOf(f.Tag); id == exchange.OtherField { // others would be read as a head's
		b.fields = append(b.fields, exchange.Field{Name: f.Name, Value: f.Value})
	}
	return nil
}
