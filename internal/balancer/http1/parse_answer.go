package http1

import (
	"errors"
	"strings"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/octet"
)

// answer is the head of a target's answer being read: what passes to the client,
// and what only HTTP/1 needs to know.
type answer struct {
	*exchange.Head

	minor        uint8
	body         bodyKind
	length       int64
	lengths      int
	lengthText   string        // of the first Content-Length
	keep         bool          // the target will take another request
	keepFor      time.Duration // as the target's Keep-Alive says; 0 is not said
	hop          bool          // has fields that must not be passed on
	options      string        // the Connection list, if it names other fields
	upgrades     bool          // Upgrade: websocket
	toHead       bool          // the request was HEAD
	bothFramings bool
}

// parse reads a head, which headEnd has found, of the answer to a request that was
// HEAD or not.
func (a *answer) parse(raw []byte, head bool) error {
	h := a.Head
	*h = exchange.Head{Fields: h.Fields[:0]}
	*a = answer{Head: h, toHead: head}
	text := view(raw)
	line := strings.IndexByte(text, '\n') + 1
	if err := a.parseLine(text[:line-2]); err != nil {
		return err
	}
	if err := a.parseFields(text[line:]); err != nil {
		return err
	}
	a.keep = a.minor == 1
	for i := range h.Fields {
		if err := a.known(&h.Fields[i]); err != nil {
			return err
		}
	}
	a.frame()
	a.publish(raw)
	return nil
}

// parseFields reads the field lines up to the empty line that ends them.
func (a *answer) parseFields(lines string) error {
	for lines[0] != '\r' || lines[1] != '\n' {
		end := strings.IndexByte(lines, '\n') + 1
		f, quirk := parseField(lines[:end])
		switch {
		case len(a.Fields) == maxFields:
			return errHeaderCount
		case quirk == oddValue && f.ID == exchange.OtherField:
			clean(&f)
			a.hop = true
		case quirk != proper:
			return errBadHeader
		}
		a.Fields = append(a.Fields, f)
		lines = lines[end:]
	}
	return nil
}

// parseLine reads "HTTP/1.x SP status [SP reason]". Later versions are taken for
// 1.1, which is what was asked for.
func (a *answer) parseLine(line string) error {
	if len(line) < 12 || line[8] != ' ' || len(line) > 12 && line[12] != ' ' || !octet.Clean(line[12:]) {
		return errBadVersion
	}
	minor, err := parseVersion(line[:8])
	switch {
	case errors.Is(err, errVersion) && line[5] > '1', err == nil && minor > 1:
		minor, a.hop = 1, true
	case err != nil:
		return err
	}
	a.minor = minor
	for _, c := range []byte(line[9:12]) {
		if c < '0' || c > '9' {
			return errBadVersion
		}
		a.Status = a.Status*10 + int(c-'0')
	}
	if a.Status < 100 || a.Status > 999 {
		return errBadVersion
	}
	if len(line) > 13 {
		a.Reason = line[13:]
	}
	return nil
}

func (a *answer) known(f *exchange.Field) error {
	switch f.ID {
	case exchange.ContentLengthField:
		return a.addLength(f.Value)
	case exchange.TransferEncodingField:
		n, err := codings(f.Value)
		if err != nil || n > 1 || n == 1 && (a.body == chunkedBody || a.minor == 0) {
			return errBadEncoding
		}
		if n == 0 {
			a.hop = true
		} else {
			a.body = chunkedBody
		}
	case exchange.ConnectionField:
		a.hop = true
		return a.connection(f.Value)
	case exchange.KeepAliveField:
		a.hop = true
		a.keepFor = keepAliveTimeout(f.Value)
	case exchange.UpgradeField:
		a.hop = true
		a.upgrades = named(f.Value, "websocket")
	case exchange.ProxyConnectionField:
		a.hop = true
	default: // goes to the client as it came
	}
	return nil
}

func (a *answer) addLength(list string) error {
	for more := true; more; {
		var item string
		item, list, more = nextItem(list)
		n, ok := octet.Length(item)
		if !ok || a.lengths > 0 && n != a.length {
			return errBadLength
		}
		a.length, a.lengthText = n, item
		a.lengths++
	}
	return nil
}

func (a *answer) connection(list string) error {
	if len(a.options)+len(list) > maxConnection {
		return errBadHeader
	}
	whole := list
	if a.options != "" {
		whole = a.options + "," + list
	}
	for more := true; more; {
		var item string
		item, list, more = nextItem(list)
		switch {
		case item == "", isFold(item, "upgrade"):
		case isFold(item, "close"):
			a.keep = false
		case isFold(item, "keep-alive"):
			a.keep = true
		default:
			a.options = whole
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
	case a.toHead || a.Status < 200 || a.Status == 204 || a.Status == 304:
		a.body = noBody
		if a.Status < 200 || a.Status == 204 {
			a.hop = true // framing fields must not be there
		}
	case a.body == chunkedBody:
	case a.lengths == 0:
		a.body, a.keep = closeBody, false
	case a.length > 0:
		a.body = lengthBody
	}
}

// publish sets what everybody is to know of the answer, and takes the fields out
// that do not pass.
func (a *answer) publish(raw []byte) {
	h := a.Head
	h.Last = !a.keep
	switch a.body {
	case lengthBody:
		h.Length = a.length
	case chunkedBody:
		h.Length, h.Chunks = exchange.Unknown, true
	case closeBody:
		h.Length, h.UntilClose = exchange.Unknown, true
	default:
		h.Bodiless = a.toHead || a.Status < 200 || a.Status == 204 || a.Status == 304
	}
	if !a.hop && a.minor == 1 {
		h.Raw = raw
	}
	passed := h.Fields[:0]
	for i := range h.Fields {
		if a.passes(&h.Fields[i]) {
			passed = append(passed, h.Fields[i])
		}
	}
	if a.lengths > 1 && a.Status >= 200 && a.Status != 204 && !a.bothFramings {
		passed = append(passed, exchange.Field{Name: "Content-Length", Value: a.lengthText, ID: exchange.ContentLengthField})
	}
	h.Fields = passed
}

// keepAliveTimeout reads "timeout=N" of a Keep-Alive field, in seconds.
func keepAliveTimeout(list string) time.Duration {
	for more := true; more; {
		var item string
		item, list, more = nextItem(list)
		if len(item) > 8 && isFold(item[:8], "timeout=") {
			if n, ok := octet.Length(item[8:]); ok && n < 1<<20 {
				return time.Duration(n) * time.Second
			}
		}
	}
	return 0
}

// passes reports whether a field goes to the client as it came. How a body is in
// chunks is the next connection's own matter.
func (a *answer) passes(f *exchange.Field) bool {
	switch f.ID {
	case exchange.ConnectionField, exchange.KeepAliveField, exchange.ProxyConnectionField,
		exchange.UpgradeField, exchange.TransferEncodingField:
		return false
	case exchange.ContentLengthField:
		return a.lengths == 1 && !a.bothFramings && a.Status >= 200 && a.Status != 204
	case exchange.OtherField:
		return a.options == "" || !named(a.options, f.Name)
	default:
		return true
	}
}
