package metadata

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
)

// request is a request, as far as it matters.
type request struct {
	method, path string
	last         bool // no other follows on the connection
	length       int  // of its body
	body         []byte
}

// maxBody is the longest body, which PUT alone has.
const maxBody = 4 << 10

// parseHead reads the head of a request: all before the empty line. ok is false
// for what is none, or announces a body that nobody here wants.
func parseHead(head []byte) (r request, ok bool) {
	line, fields, _ := bytes.Cut(head, []byte("\r\n"))
	method, rest, ok1 := strings.Cut(string(line), " ")
	target, version, ok2 := strings.Cut(rest, " ")
	if !ok1 || !ok2 || !strings.HasPrefix(version, "HTTP/1.") {
		return r, false
	}
	target = strings.TrimPrefix(target, "http://"+Address) // of a client that takes us for a proxy
	r.method, r.last = method, version == "HTTP/1.0"
	r.path, _, _ = strings.Cut(target, "?")
	for len(fields) > 0 {
		line, fields, _ = bytes.Cut(fields, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return r, false
		}
		value = bytes.TrimSpace(value)
		switch strings.ToLower(string(name)) {
		case "connection":
			if bytes.EqualFold(value, []byte("close")) {
				r.last = true
			}
		case "transfer-encoding":
			return r, false
		case "content-length":
			n, err := strconv.ParseUint(string(value), 10, 16)
			if err != nil || n > maxBody || n > 0 && method != http.MethodPut || r.length > 0 {
				return r, false
			}
			r.length = int(n)
		}
	}
	return r, true
}
