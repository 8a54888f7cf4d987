package http1

import "bytes"

// span is a part of a buffer.
type span struct{ from, to int }

func (s span) of(buf []byte) []byte { return buf[s.from:s.to] }

// field is a header field in a buffer; lines are kept whole so that runs of
// them can be copied at once.
type field struct {
	id    fieldID
	line  span // with its CRLF
	name  span
	value span // without blanks around it
}

// fieldID marks the fields that mean something to a proxy.
type fieldID uint8

const (
	otherField fieldID = iota
	connectionField
	contentLengthField
	expectField
	forwardedForField
	forwardedPortField
	forwardedProtoField
	hostField
	keepAliveField
	proxyConnectionField
	teField
	traceField
	transferEncodingField
	upgradeField
)

// knownField finds a field's id; most names fail at the length or the first
// letter.
func knownField(name []byte) fieldID {
	want, id := "", otherField
	switch len(name) {
	case 2:
		want, id = "te", teField
	case 4:
		want, id = "host", hostField
	case 6:
		want, id = "expect", expectField
	case 7:
		want, id = "upgrade", upgradeField
	case 10:
		want, id = "connection", connectionField
		if lower(name[0]) == 'k' {
			want, id = "keep-alive", keepAliveField
		}
	case 14:
		want, id = "content-length", contentLengthField
	case 15:
		want, id = "x-forwarded-for", forwardedForField
		if lower(name[2]) == 'a' {
			want, id = "x-amzn-trace-id", traceField
		}
	case 16:
		want, id = "x-forwarded-port", forwardedPortField
		if lower(name[0]) == 'p' {
			want, id = "proxy-connection", proxyConnectionField
		}
	case 17:
		want, id = "transfer-encoding", transferEncodingField
		if lower(name[0]) == 'x' {
			want, id = "x-forwarded-proto", forwardedProtoField
		}
	}
	if id == otherField || !isFold(name, want) {
		return otherField
	}
	return id
}

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

// parseFields reads the field lines of buf from at, up to the empty line that
// headEnd has found. dst is reused.
func parseFields(dst []field, buf []byte, at, maxLine int) ([]field, error) {
	dst = dst[:0]
	for buf[at] != '\r' || buf[at+1] != '\n' {
		end := at + bytes.IndexByte(buf[at:], '\n') + 1
		if end-at > maxLine {
			return dst, errHeaderSize
		}
		if len(dst) == maxFields {
			return dst, errHeaderCount
		}
		f, err := parseField(buf, at, end)
		if err != nil {
			return dst, err
		}
		dst = append(dst, f)
		at = end
	}
	return dst, nil
}

// parseField reads one line, which ends in CRLF. A name must be a token, with
// the colon right behind it; folded lines are thereby refused too.
func parseField(buf []byte, at, end int) (field, error) {
	line := buf[at : end-2]
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 || !all(line[:colon], tokenChar) || !cleanValue(line[colon+1:]) {
		return field{}, errBadHeader
	}
	f := field{line: span{at, end}, name: span{at, at + colon}}
	from, to := at+colon+1, end-2
	for from < to && (buf[from] == ' ' || buf[from] == '\t') {
		from++
	}
	for from < to && (buf[to-1] == ' ' || buf[to-1] == '\t') {
		to--
	}
	f.value = span{from, to}
	f.id = knownField(line[:colon])
	return f, nil
}

// parseLength reads a Content-Length: digits only, and not above what a file
// can have.
func parseLength(p []byte) (int64, bool) {
	if len(p) == 0 || len(p) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range p {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// named reports whether the list of a Connection header names the field; known
// fields of framing and routing are ours whatever it says.
func named(connections, name []byte) bool {
	for more := true; more; {
		var item []byte
		item, connections, more = nextItem(connections)
		if bytes.EqualFold(item, name) {
			return true
		}
	}
	return false
}
