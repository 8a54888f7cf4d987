package http1

import (
	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/octet"
)

// chunks follows a chunked body (RFC 9112 7.1) octet by octet and refuses what
// two readers could read differently: signs, bare line feeds, sizes of over 15
// digits, framing fields in trailers. Blanks behind a size pass. The zero value is
// at the start.
type chunks struct {
	// answer reports that a target sends them, whose client alone is harmed by
	// leading zeros and by framing fields in trailers, which have no effect there.
	answer bool

	state chunkState
	left  int64 // of the chunk's data, or its size so far
	line  int   // octets of this size line, or of all trailer lines
	zeros int   // in front of sizes, so far
	name  [maxFramingName]byte
	named int // octets of the trailer's name
	// tail gets the trailers as lines, with the empty one at the end, if it is not
	// nil.
	tail *[]byte
}

type chunkState uint8

const (
	chunkSizeStart chunkState = iota
	chunkSize
	chunkBlank // behind the size
	chunkExtension
	chunkSizeLF
	chunkData
	chunkDataCR
	chunkDataLF
	trailerStart
	trailerName
	trailerValue
	trailerLF
	chunkEndLF
	chunkDone
)

const (
	maxSizeDigits    = 15
	maxExtensionLine = 1 << 10
	maxTrailers      = 16 << 10
	maxFramingName   = 17 // "transfer-encoding"
)

// scan follows all of p that belongs to the body.
func (c *chunks) scan(p []byte) (n int, done bool, err error) {
	for n < len(p) && c.state != chunkDone {
		frame, data, err := c.next(p[n:])
		if err != nil {
			return n, false, err
		}
		n += frame + data
	}
	return n, c.state == chunkDone, nil
}

// next follows p to the end of its first run of data: frame octets of framing,
// then data octets of data.
func (c *chunks) next(p []byte) (frame, data int, err error) {
	for frame < len(p) && c.state != chunkDone {
		if c.state == chunkData {
			data = int(min(c.left, int64(len(p)-frame)))
			if c.left -= int64(data); c.left == 0 {
				c.state = chunkDataCR
			}
			return frame, data, nil
		}
		if c.tail != nil && c.state >= trailerStart {
			*c.tail = append(*c.tail, p[frame])
		}
		if !c.step(p[frame]) {
			return frame, 0, errBadChunk
		}
		frame++
	}
	return frame, 0, nil
}

// step takes one octet of framing.
func (c *chunks) step(b byte) bool {
	switch c.state {
	case chunkSizeStart, chunkSize, chunkBlank:
		return c.size(b)
	case chunkExtension:
		return c.skip(b, chunkSizeLF, maxExtensionLine)
	case chunkSizeLF:
		c.state, c.line, c.zeros = chunkData, 0, 0
		if c.left == 0 {
			c.state = trailerStart
		}
		return b == '\n'
	case chunkDataCR:
		c.state = chunkDataLF
		return b == '\r'
	case chunkDataLF:
		c.state, c.line = chunkSizeStart, 0
		return b == '\n'
	case trailerStart, trailerName:
		return c.trailer(b)
	case trailerValue:
		return c.skip(b, trailerLF, maxTrailers)
	case trailerLF:
		c.state = trailerStart
		return b == '\n'
	default: // chunkEndLF
		c.state = chunkDone
		return b == '\n'
	}
}

func (c *chunks) size(b byte) bool {
	digit := -1
	switch {
	case '0' <= b && b <= '9':
		digit = int(b - '0')
	case 'a' <= lower(b) && lower(b) <= 'f':
		digit = int(lower(b)-'a') + 10
	}
	switch {
	case digit >= 0 && c.state != chunkBlank:
		return c.digit(digit)
	case c.state == chunkSizeStart:
		return false
	case b == ' ' || b == '\t':
		c.state = chunkBlank
		c.line++
		return c.line <= maxExtensionLine
	case b == '\r':
		c.state = chunkSizeLF
	case b == ';' && (c.answer || c.state != chunkBlank):
		c.state = chunkExtension
	default:
		return false
	}
	return true
}

func (c *chunks) digit(digit int) bool {
	c.state = chunkSize
	zeros := c.left == 0 && c.answer // leading ones
	c.left = c.left<<4 | int64(digit)
	if zeros {
		c.zeros++
		return c.zeros <= maxExtensionLine
	}
	c.line++
	return c.line <= maxSizeDigits
}

// skip takes an octet of a value up to its CR.
func (c *chunks) skip(b byte, after chunkState, most int) bool {
	if b == '\r' {
		c.state = after
		return true
	}
	c.line++
	return octet.Is(b, octet.Value) && c.line <= most
}

func (c *chunks) trailer(b byte) bool {
	if c.state == trailerStart {
		c.named = 0
		if b == '\r' {
			c.state = chunkEndLF
			return true
		}
		c.state = trailerName
	}
	c.line++
	if b == ':' {
		c.state = trailerValue
		return c.named > 0 && !c.framing()
	}
	if c.named < len(c.name) {
		c.name[c.named] = b
	}
	c.named++
	return octet.Is(b, octet.Token) && c.line <= maxTrailers
}

// framing reports whether the trailer's name may not stand in trailers
// (RFC 9110 6.5.1).
func (c *chunks) framing() bool {
	if c.named > len(c.name) {
		return false
	}
	return !c.answer && framing(exchange.KnownField(view(c.name[:c.named])))
}

// framing reports whether a field has no place in trailers (RFC 9110 6.5.1).
func framing(id exchange.FieldID) bool {
	switch id {
	case exchange.ContentLengthField, exchange.TransferEncodingField, exchange.HostField, exchange.ConnectionField,
		exchange.TEField, exchange.ExpectField, exchange.UpgradeField, exchange.ForwardedForField,
		exchange.ForwardedPortField, exchange.ForwardedProtoField, exchange.TraceField:
		return true
	default:
		return false
	}
}
