package exchange

import (
	"strings"

	"neargate/internal/balancer/octet"
)

// compose sets what the target gets of the request's head: the client's fields,
// then the balancer's own.
func (f *Flow) compose() {
	r := &f.Request
	f.fwd = Forward{
		Method: r.Method, URI: f.origin(), Fields: f.fwd.Fields[:0], Length: r.Length,
		Upgrade: r.Upgrade, Trailers: r.Trailers, Idle: f.set.IdleTimeout,
	}
	lengths := 0
	for i := range r.Fields {
		if field := &r.Fields[i]; f.passes(field) {
			f.fwd.Fields = append(f.fwd.Fields, *field)
			if field.ID == ContentLengthField {
				lengths++
			}
		}
	}
	f.addHost()
	if lengths == 0 && r.hasLength() {
		f.add("Content-Length", f.text.int(r.Length).take())
	}
	f.addForwarded()
	f.add("X-Amzn-Trace-Id", r.Trace())
	if f.edits != nil {
		f.fwd.Fields = f.edits.Request.apply(f.fwd.Fields)
	}
}

// add appends a field of ours to what the target gets.
func (f *Flow) add(name, value string) {
	f.fwd.Fields = append(f.fwd.Fields, Field{Name: name, Value: value})
}

// hasLength reports whether a target must be told the length, though no field of
// the client's that passes does: several said the same.
func (r *Request) hasLength() bool {
	if r.Length == Unknown {
		return false
	}
	for i := range r.Fields {
		if r.Fields[i].ID == ContentLengthField {
			return true
		}
	}
	return r.Length > 0
}

// origin returns the URI in origin form, rewritten if the Router wants that.
func (f *Flow) origin() string {
	r, path, query := &f.Request, f.Request.Path, f.Request.Query
	switch {
	case f.rewrite != nil && f.rewrite.Path != "":
		path, query = f.rewrite.Path, f.rewrite.Query
	case r.URI == "" || r.URI[0] == '/' || r.URI[0] == '*':
		return r.URI
	}
	f.text.add(path)
	if query != "" {
		f.text.add("?").add(query)
	}
	return f.text.take()
}

// passes reports whether a field goes to the target as it came.
func (f *Flow) passes(field *Field) bool {
	if field.Hop {
		return false
	}
	switch field.ID {
	case HostField:
		return f.hostPasses()
	case ForwardedForField:
		return f.set.ForwardedFor == PreserveForwarded
	case ForwardedPortField, ForwardedProtoField, TraceField:
		return false // written anew
	case OIDCField:
		return false
	default:
		return !f.set.DropInvalid || f.Request.Invalid == 0 || octet.All(field.Name, octet.Plain)
	}
}

// hostPasses reports whether the Host header is right as it is: a default port
// is cut, another port of the listener added (application-load-balancers,
// "Host header preservation").
func (f *Flow) hostPasses() bool {
	if f.rewrite != nil && f.rewrite.Host != "" {
		return false
	}
	if f.set.PreserveHost {
		return true
	}
	_, _, hasPort := cutPort(f.Request.Host)
	return hasPort != defaultPort(f.set.Port)
}

func defaultPort(port int) bool { return port == 80 || port == 443 }

// cutPort cuts the port off.
func cutPort(host string) (name, port string, found bool) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || host[len(host)-1] == ']' {
		return host, "", false
	}
	return host[:i], host[i+1:], true
}

// addHost sets the authority, and adds a Host field if the client's does not
// serve.
func (f *Flow) addHost() {
	host := f.Request.Host
	for i := range f.fwd.Fields {
		if f.fwd.Fields[i].ID == HostField {
			f.fwd.Authority = host
			return
		}
	}
	switch name, port, _ := cutPort(host); {
	case f.rewrite != nil && f.rewrite.Host != "":
		host = f.rewrite.Host
	case host == "":
		host = f.Request.Conn.Local
	case f.set.PreserveHost:
	case defaultPort(f.set.Port):
		host = name
	case port != "":
		host = f.text.add(name).add(":").add(port).take()
	default:
		host = f.text.add(name).add(":").int(int64(f.set.Port)).take()
	}
	f.fwd.Authority = host
	f.fwd.Fields = append(f.fwd.Fields, Field{Name: "Host", Value: host, ID: HostField})
}

// addForwarded adds what the target is told of the client's connection.
func (f *Flow) addForwarded() {
	set := f.set
	if set.ForwardedFor == AppendForwarded {
		f.add("X-Forwarded-For", f.forwardedFor())
	}
	f.add("X-Forwarded-Proto", set.Proto)
	f.add("X-Forwarded-Port", f.text.int(int64(set.Port)).take())
}

func (f *Flow) forwardedFor() string {
	r, t := &f.Request, &f.text
	for i := range r.Fields {
		if field := &r.Fields[i]; field.ID == ForwardedForField && field.Value != "" {
			t.add(field.Value).add(", ")
		}
	}
	switch client := r.Client(); {
	case f.set.ClientPort:
		t.b = client.AppendTo(t.b)
	case client.IsValid():
		t.b = client.Addr().AppendTo(t.b)
	}
	return t.take()
}

// apply changes fields as an edit says.
func (e *Edit) apply(fields []Field) []Field {
	if len(e.Remove) > 0 {
		kept := fields[:0]
		for i := range fields {
			if !e.removes(fields[i].Name) {
				kept = append(kept, fields[i])
			}
		}
		fields = kept
	}
	return append(fields, e.Add...)
}

func (e *Edit) removes(name string) bool {
	for _, n := range e.Remove {
		if len(n) == len(name) && strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// empty reports whether the edit changes nothing.
func (e *Edit) empty() bool { return len(e.Remove) == 0 && len(e.Add) == 0 }
