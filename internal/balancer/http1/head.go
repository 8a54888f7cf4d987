package http1

import (
	"bytes"
	"strings"
	"unsafe"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/octet"
)

// view returns p as a string, without copying.
func view(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }

// headEnd looks for the end of a head in p, whose first scanned bytes were seen
// before. It returns the head's length with its empty line, or 0 if more must
// come. A line that does not end in CRLF is an error at once.
func headEnd(p []byte, scanned int) (int, error) {
	for at := scanned; ; {
		i := bytes.IndexByte(p[at:], '\n')
		if i < 0 {
			return 0, nil
		}
		at += i
		if at == 0 || p[at-1] != '\r' {
			return 0, errBareLF
		}
		if at >= 3 && p[at-2] == '\n' {
			return at + 1, nil
		}
		at++
	}
}

// maxFields bounds the work that one head can cause.
const maxFields = 500

// parseFields reads the field lines of a request up to the empty line that ends
// them. dst is reused.
func (r *request) parseFields(lines string) error {
	dst := r.Fields[:0]
	for lines[0] != '\r' || lines[1] != '\n' {
		end := strings.IndexByte(lines, '\n') + 1
		if end > maxHeaderLine {
			return errHeaderSize
		}
		if len(dst) == maxFields {
			return errHeaderCount
		}
		f, quirk := parseField(lines[:end])
		if quirk != proper {
			if err := r.meet(&f, quirk); err != nil {
				return err
			}
		}
		dst = append(dst, f)
		r.Fields = dst
		lines = lines[end:]
	}
	r.Fields = dst
	return nil
}

// quirk is what is wrong with a field.
type quirk uint8

const (
	proper   quirk = iota
	nameless       // nothing stands before the colon
	oddName        // octets in the name that may not stand there, but can be seen
	oddValue       // control characters in the value
	unreadable
)

// parseField reads one line, which ends in CRLF. The colon must be right behind the
// name; folded lines are thereby unreadable too.
func parseField(line string) (exchange.Field, quirk) {
	colon := strings.IndexByte(line, ':')
	if colon < 0 {
		return exchange.Field{}, unreadable
	}
	name, value := line[:colon], trim(line[colon+1:len(line)-2])
	f := exchange.Field{Name: name, Value: value, Line: line, ID: exchange.KnownField(name)}
	switch {
	case colon == 0:
		return f, nameless
	case !octet.All(name, octet.Token):
		if octet.All(name, octet.Visible) {
			return f, oddName
		}
		return f, unreadable
	case !octet.Clean(value):
		if strings.ContainsAny(value, "\x00\r\n") {
			return f, unreadable
		}
		return f, oddValue
	}
	return f, proper
}

// clean puts blanks for the control characters of a value (RFC 9110 5.5), so that
// no two readers see different things in it.
func clean(f *exchange.Field) {
	value := []byte(f.Value)
	for i, c := range value {
		if !octet.Is(c, octet.Value) {
			value[i] = ' '
		}
	}
	f.Line, f.Value = "", trim(string(value))
}

// named reports whether the list of a Connection header names the field; known
// fields of framing and routing are ours whatever it says.
func named(connections, name string) bool {
	for more := true; more; {
		var item string
		item, connections, more = nextItem(connections)
		if len(item) == len(name) && strings.EqualFold(item, name) {
			return true
		}
	}
	return false
}

// appendField writes a field as a line.
func appendField(out []byte, f *exchange.Field) []byte {
	if f.Line != "" {
		return append(out, f.Line...)
	}
	out = append(append(out, f.Name...), ": "...)
	return append(append(out, f.Value...), "\r\n"...)
}
