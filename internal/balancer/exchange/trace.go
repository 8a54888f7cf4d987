package exchange

import (
	"math/rand/v2"
	"strings"
)

// maxTrace is above what AWS keeps of a trace header.
const maxTrace = 7 << 10

// setTrace sets the X-Amzn-Trace-Id (load-balancer-request-tracing): absent, a
// Root; with a Root, a Self in front; a Self is replaced.
func (r *Request) setTrace() {
	old := ""
	for i := range r.Fields {
		if f := &r.Fields[i]; f.ID == TraceField {
			old = f.Value
			break
		}
	}
	if len(old) > maxTrace {
		old = ""
	}
	if !hasPart(old, "Root=") {
		r.trace = r.appendTraceID(append(r.trace, "Root="...))
	} else {
		r.trace = r.appendTraceID(append(r.trace, "Self="...))
	}
	for old != "" {
		var part string
		part, old, _ = strings.Cut(old, ";")
		if part = trim(part); part != "" && !strings.HasPrefix(part, "Self=") {
			r.trace = append(append(r.trace, ';'), part...)
		}
	}
}

// hasPart reports whether a part of the trace header begins with key.
func hasPart(trace, key string) bool {
	for trace != "" {
		var part string
		part, trace, _ = strings.Cut(trace, ";")
		if strings.HasPrefix(trim(part), key) {
			return true
		}
	}
	return false
}

func trim(s string) string { return strings.Trim(s, " \t") }

// appendTraceID writes "1-", 8 hex digits of the time and 24 at random.
func (r *Request) appendTraceID(out []byte) []byte {
	out = appendHex(append(out, "1-"...), uint64(r.Arrived.Unix()), 8)
	out = appendHex(append(out, '-'), rand.Uint64(), 16)
	return appendHex(out, rand.Uint64(), 8)
}

func appendHex(out []byte, v uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		out = append(out, "0123456789abcdef"[v>>shift&15])
	}
	return out
}
