package http1

import (
	"bytes"
	"strings"
	"unsafe"

	"neargate/internal/balancer/exchange"
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

// parseFields reads field lines up to the empty line that ends them. dst is
// reused.
func parseFields(dst []exchange.Field, lines string, maxLine int) ([]exchange.Field, error) {
	dst = dst[:0]
	for lines[0] != '\r' || lines[1] != '\n' {
		end := strings.IndexByte(lines, '\n') + 1
		if end > maxLine {
			return dst, errHeaderSize
		}
		if len(dst) == maxFields {
			return dst, errHeaderCount
		}
		f, err := parseField(lines[:end])
		if err != nil {
			return dst, err
		}
		dst = append(dst, f)
		lines = lines[end:]
	}
	return dst, nil
}

// parseField reads one line, which ends in CRLF. A name must be a token, with
// the colon right behind it; folded lines are thereby refused too.
func parseField(line string) (exchange.Field, error) {
	colon := strings.IndexByte(line, ':')
	if colon <= 0 || !all(line[:colon], tokenChar) || !cleanValue(line[colon+1:len(line)-2]) {
		return exchange.Field{}, errBadHeader
	}
	name := line[:colon]
	return exchange.Field{
		Name: name, Value: trim(line[colon+1 : len(line)-2]), Line: line, ID: exchange.KnownField(name),
	}, nil
}

// parseLength reads a Content-Length: digits only, and not above what a file
// can have.
func parseLength(s string) (int64, bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	var n int64
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
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
