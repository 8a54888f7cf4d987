package http1

import (
	"bytes"
	"time"
)

// answer is the head of a target's answer, read in place.
type answer struct {
	buf          []byte
	status       int
	minor        uint8
	end          int // of the head
	firstField   int
	fields       []field
	body         bodyKind
	length       int64
	lengths      int
	keep         bool          // the target will take another request
	keepFor      time.Duration // as the target's Keep-Alive says; 0 is not said
	hop          bool          // has fields that must not be passed on
	connections  []byte        // the Connection list, if it names other fields
	upgrades     bool          // Upgrade: websocket
	toHead       bool          // the request was HEAD
	bothFramings bool
}

// parse reads the head buf[:end], which headEnd has found, of the answer to a
// request that was HEAD or not.
func (a *answer) parse(buf []byte, end int, head bool) error {
	*a = answer{buf: buf, end: end, fields: a.fields[:0], toHead: head}
	a.firstField = bytes.IndexByte(buf, '\n') + 1
	if err := a.parseLine(buf[:a.firstField-2]); err != nil {
		return err
	}
	var err error
	if a.fields, err = parseFields(a.fields, buf, a.firstField, maxAnswerHeaders); err != nil {
		return err
	}
	a.keep = a.minor == 1
	for i := range a.fields {
		if err := a.known(&a.fields[i]); err != nil {
			return err
		}
	}
	a.frame()
	return nil
}

// parseLine reads "HTTP/1.x SP status [SP reason]".
func (a *answer) parseLine(line []byte) error {
	if len(line) < 12 || line[8] != ' ' || len(line) > 12 && line[12] != ' ' || !cleanValue(line[12:]) {
		return errBadVersion
	}
	minor, err := parseVersion(line[:8])
	if err != nil {
		return err
	}
	a.minor = minor
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return errBadVersion
		}
		a.status = a.status*10 + int(c-'0')
	}
	if a.status < 100 || a.status > 599 {
		return errBadVersion
	}
	return nil
}

func (a *answer) known(f *field) error {
	value := f.value.of(a.buf)
	switch f.id {
	case contentLengthField:
		return a.addLength(value)
	case transferEncodingField:
		n, err := codings(value)
		if err != nil || n > 1 || n == 1 && (a.body == chunkedBody || a.minor == 0) {
			return errBadEncoding
		}
		if n == 0 {
			a.hop = true
		} else {
			a.body = chunkedBody
		}
	case connectionField:
		a.hop = true
		return a.connection(value)
	case keepAliveField:
		a.hop = true
		a.keepFor = keepAliveTimeout(value)
	case upgradeField:
		a.hop = true
		a.upgrades = isFold(value, "websocket")
	case proxyConnectionField:
		a.hop = true
	default: // goes to the client as it came
	}
	return nil
}

func (a *answer) addLength(list []byte) error {
	for more := true; more; {
		var item []byte
		item, list, more = nextItem(list)
		n, ok := parseLength(item)
		if !ok || a.lengths > 0 && n != a.length {
			return errBadLength
		}
		a.length = n
		a.lengths++
	}
	return nil
}

func (a *answer) connection(list []byte) error {
	if len(list) > maxConnection || a.connections != nil {
		return errBadHeader
	}
	whole := list
	for more := true; more; {
		var item []byte
		item, list, more = nextItem(list)
		switch {
		case len(item) == 0, isFold(item, "upgrade"):
		case isFold(item, "close"):
			a.keep = false
		case isFold(item, "keep-alive"):
			a.keep = true
		default:
			a.connections = whole
		}
	}
	return nil
}

// frame decides how the body ends (RFC 9112 6.3).
func (a *answer) frame() {
	if a.body == chunkedBody && a.lengths > 0 {
		a.bothFramings, a.hop, a.keep = true, true, false
	}
	if a.lengths > 1 {
		a.hop = true
	}
	switch {
	case a.toHead || a.status < 200 || a.status == 204 || a.status == 304:
		a.body = noBody
		if a.status < 200 || a.status == 204 {
			a.hop = true // framing fields must not be there
		}
	case a.body == chunkedBody:
	case a.lengths == 0:
		a.body, a.keep = closeBody, false
	case a.length > 0:
		a.body = lengthBody
	}
}

// keepAliveTimeout reads "timeout=N" of a Keep-Alive field, in seconds.
func keepAliveTimeout(list []byte) time.Duration {
	for more := true; more; {
		var item []byte
		item, list, more = nextItem(list)
		if len(item) > 8 && isFold(item[:8], "timeout=") {
			if n, ok := parseLength(item[8:]); ok && n < 1<<20 {
				return time.Duration(n) * time.Second
			}
		}
	}
	return 0
}

// passes reports whether a field goes to the client as it came; only asked if
// hop is set.
func (a *answer) passes(f *field) bool {
	switch f.id {
	case connectionField, keepAliveField, proxyConnectionField, upgradeField:
		return false
	case contentLengthField:
		return a.lengths == 1 && !a.bothFramings && a.status >= 200 && a.status != 204
	case transferEncodingField:
		// On HEAD and 304 it says what GET would have; else it is written anew.
		return a.status == 304 || a.toHead && a.status >= 200 && a.status != 204
	case otherField:
		return a.connections == nil || !named(a.connections, f.name.of(a.buf))
	default:
		return true
	}
}
