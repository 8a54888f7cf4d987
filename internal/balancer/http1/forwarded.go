package http1

import (
	"bytes"
	"math/rand/v2"
	"strconv"
)

// appendForward writes the head that the target gets: the request line, the
// client's fields in runs, then the balancer's own.
func (r *Request) appendForward(out []byte, set *Settings, me string) []byte {
	out = r.appendLine(out)
	from := r.firstField
	for i := range r.fields {
		f := &r.fields[i]
		if r.passes(f, set) {
			continue
		}
		out = append(out, r.buf[from:f.line.from]...)
		from = f.line.to
	}
	out = append(out, r.buf[from:r.end-2]...)
	out = r.appendHost(out, set, me)
	out = r.appendFraming(out)
	out = r.appendForwardedFor(out, set)
	out = append(out, "X-Forwarded-Proto: "...)
	out = append(out, set.Proto...)
	out = append(out, "\r\nX-Forwarded-Port: "...)
	out = strconv.AppendUint(out, uint64(set.Port), 10)
	out = append(out, "\r\nX-Amzn-Trace-Id: "...)
	out = append(out, r.trace...)
	return append(out, "\r\n\r\n"...)
}

// appendLine writes the request line with the origin form of the URI.
func (r *Request) appendLine(out []byte) []byte {
	if r.minor == 1 && !r.absolute {
		return append(out, r.buf[r.method.from:r.firstField]...)
	}
	out = append(out, r.Method()...)
	out = append(out, ' ')
	if r.absolute && r.path.from == r.path.to {
		out = append(out, '/')
	}
	out = append(out, r.buf[r.path.from:r.uri.to]...)
	return append(out, " HTTP/1.1\r\n"...)
}

// passes reports whether a field goes to the target as it came.
func (r *Request) passes(f *field, set *Settings) bool {
	switch f.id {
	case otherField:
		name := f.name.of(r.buf)
		return (r.connections == nil || !named(r.connections, name)) &&
			(!set.DropInvalid || r.invalid == 0 || all(name, plainChar))
	case hostField:
		return r.hostPasses(set)
	case forwardedForField:
		return set.ForwardedFor == PreserveForwarded
	case contentLengthField:
		return r.body != chunkedBody && r.lengths == 1
	case expectField:
		return !r.expects
	default: // written anew, or for this hop only
		return false
	}
}

// hostPasses reports whether the Host header is right as it is: a default port
// is cut, another port of the listener added (application-load-balancers,
// "Host header preservation").
func (r *Request) hostPasses(set *Settings) bool {
	if set.PreserveHost {
		return true
	}
	name, _ := splitHost(r.host.of(r.buf))
	hasPort := len(name) < r.host.to-r.host.from
	return hasPort != defaultPort(set.Port)
}

func defaultPort(port int) bool { return port == 80 || port == 443 }

func (r *Request) appendHost(out []byte, set *Settings, me string) []byte {
	host := r.host.of(r.buf)
	given := len(host) > 0
	for i := range r.fields {
		if r.fields[i].id == hostField && r.hostPasses(set) {
			return out
		}
	}
	out = append(out, "Host: "...)
	switch name, port := splitHost(host); {
	case !given:
		out = append(out, me...)
	case set.PreserveHost:
		out = append(out, host...)
	default:
		out = append(out, name...)
		if !defaultPort(set.Port) && len(port) > 0 {
			out = append(append(out, ':'), port...)
		} else if !defaultPort(set.Port) {
			out = strconv.AppendUint(append(out, ':'), uint64(set.Port), 10)
		}
	}
	return append(out, "\r\n"...)
}

// appendFraming writes what frames the body or upgrades the connection, where
// the client's own fields do not serve.
func (r *Request) appendFraming(out []byte) []byte {
	switch {
	case r.body == chunkedBody:
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	case r.lengths > 1:
		out = append(out, "Content-Length: "...)
		out = strconv.AppendInt(out, r.length, 10)
		out = append(out, "\r\n"...)
	}
	if r.wantsUpgrade {
		out = append(out, "Connection: upgrade\r\nUpgrade: websocket\r\n"...)
	}
	return out
}

func (r *Request) appendForwardedFor(out []byte, set *Settings) []byte {
	if set.ForwardedFor != AppendForwarded {
		return out
	}
	out = append(out, "X-Forwarded-For: "...)
	for i := range r.fields {
		if f := &r.fields[i]; f.id == forwardedForField && f.value.from < f.value.to {
			out = append(out, f.value.of(r.buf)...)
			out = append(out, ", "...)
		}
	}
	if set.ClientPort {
		out = r.client.AppendTo(out)
	} else if r.client.IsValid() {
		out = r.client.Addr().AppendTo(out)
	}
	return append(out, "\r\n"...)
}

// maxTrace is above what AWS keeps of a trace header.
const maxTrace = 7 << 10

// setTrace sets the X-Amzn-Trace-Id (load-balancer-request-tracing): absent, a
// Root; with a Root, a Self in front; a Self is replaced.
func (r *Request) setTrace() {
	var old []byte
	for i := range r.fields {
		if f := &r.fields[i]; f.id == traceField {
			old = f.value.of(r.buf)
			break
		}
	}
	if len(old) > maxTrace {
		old = nil
	}
	if !hasPart(old, "Root=") {
		r.trace = r.appendTraceID(append(r.trace, "Root="...))
	} else {
		r.trace = r.appendTraceID(append(r.trace, "Self="...))
	}
	for len(old) > 0 {
		var part []byte
		part, old, _ = bytes.Cut(old, []byte{';'})
		if part = trim(part); len(part) > 0 && !hasPart(part, "Self=") {
			r.trace = append(append(r.trace, ';'), part...)
		}
	}
}

// hasPart reports whether a part of the trace header begins with key.
func hasPart(trace []byte, key string) bool {
	for len(trace) > 0 {
		var part []byte
		part, trace, _ = bytes.Cut(trace, []byte{';'})
		if part = trim(part); len(part) >= len(key) && string(part[:len(key)]) == key {
			return true
		}
	}
	return false
}

// appendTraceID writes "1-", 8 hex digits of the time and 24 at random.
func (r *Request) appendTraceID(out []byte) []byte {
	out = appendHex(append(out, "1-"...), uint64(r.arrived.Unix()), 8)
	out = appendHex(append(out, '-'), rand.Uint64(), 16)
	return appendHex(out, rand.Uint64(), 8)
}

func appendHex(out []byte, v uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		out = append(out, "0123456789abcdef"[v>>shift&15])
	}
	return out
}
