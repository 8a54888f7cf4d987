package http1

import "neargate/internal/balancer/exchange"

// request is a request being read: what everybody sees of it, and what only
// HTTP/1 needs to know.
type request struct {
	*exchange.Request

	end        int   // of the head, in the buffer
	minor      uint8 // of the version
	absolute   bool  // the URI had a scheme and an authority
	wantsClose bool
	wantsKeep  bool
	upgrades   bool     // Connection: upgrade
	options    string   // the Connection list, if it names other fields
	body       bodyKind // how its end is found
	length     int64    // of lengthBody
	lengths    int      // Content-Length values that came
}

// bodyKind is how the end of a body is found.
type bodyKind uint8

const (
	noBody bodyKind = iota
	lengthBody
	chunkedBody
	closeBody   // answers only
	endlessBody // after an upgrade
)

func (r *request) reset() { *r = request{Request: r.Request} }

// publish sets what everybody is to know of the framing, once it is decided.
func (r *request) publish() {
	switch r.body {
	case lengthBody:
		r.Length = r.length
	case chunkedBody:
		r.Length, r.Chunks = exchange.Unknown, true
	default: // no body
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		switch f.ID {
		case exchange.ConnectionField, exchange.KeepAliveField, exchange.ProxyConnectionField,
			exchange.TEField, exchange.TransferEncodingField, exchange.UpgradeField:
			f.Hop = true
		case exchange.ContentLengthField:
			f.Hop = r.body == chunkedBody || r.lengths != 1
		case exchange.ExpectField:
			f.Hop = r.Expects
		case exchange.OtherField:
			f.Hop = f.Hop || r.options != "" && named(r.options, f.Name)
		default: // goes on, or is written anew
		}
	}
}
