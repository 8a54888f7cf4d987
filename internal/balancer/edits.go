package balancer

import (
	"cmp"
	"strings"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/front"
	"neargate/internal/model"
)

// The attributes of a listener about the headers of answers
// (listener-header-modification).
const (
	answerPrefix  = "routing.http.response."
	answerSuffix  = ".header_value"
	serverEnabled = "routing.http.response.server.enabled"
)

// tlsNames are the headers that tell a target how its client's TLS was agreed on, by
// the listener's attributes routing.http.request.x_amzn_tls_*.header_name.
type tlsNames struct{ version, cipher string }

// AWS's names for them.
const (
	tlsVersion = "X-Amzn-Tls-Version"
	tlsCipher  = "X-Amzn-Tls-Cipher-Suite"
)

func tlsNamesOf(l model.Listener) *tlsNames {
	name := func(key, otherwise string) string {
		return cmp.Or(l.Attributes["routing.http.request."+key+".header_name"], otherwise)
	}
	return &tlsNames{name("x_amzn_tls_version", tlsVersion), name("x_amzn_tls_cipher_suite", tlsCipher)}
}

// editsFor is what changes of a request that is forwarded, and of its answer: the
// listener's edits, and with routing.http.x_amzn_tls_version_and_cipher_suite.enabled
// what was agreed on with the client, and what its certificate says of it where it
// is asked for one. A header of the client's with such a name does not pass.
func (l *listener) editsFor(r *exchange.Request) *exchange.Edits {
	edits := l.edits.Load()
	secure, _ := r.Conn.Note.(*front.Secure)
	tells, clients := l.lb.conf.Load().tellTLS, l.clientNames.Load()
	if secure == nil || !tells && *clients == nil {
		return edits
	}
	out := exchange.Edits{}
	if edits != nil {
		out = *edits
	}
	if tells {
		names := l.tlsNames.Load()
		out.Request = exchange.Edit{
			Remove: []string{names.version, names.cipher, tlsVersion, tlsCipher},
			Add:    []exchange.Field{{Name: names.version, Value: secure.Version}, {Name: names.cipher, Value: secure.Cipher}},
		}
	}
	if *clients != nil {
		clients.tell(&out.Request, secure)
	}
	return &out
}

// editsOf is what a listener's attributes change of answers: a header that the load
// balancer adds replaces the target's. nil for nothing.
func editsOf(l model.Listener) *exchange.Edits {
	var edit exchange.Edit
	if l.Attributes[serverEnabled] == "false" {
		edit.Remove = append(edit.Remove, "Server")
	}
	for _, name := range answerHeaders() {
		key := answerPrefix + strings.ReplaceAll(strings.ToLower(name), "-", "_") + answerSuffix
		if v := l.Attributes[key]; v != "" {
			edit.Remove = append(edit.Remove, name)
			edit.Add = append(edit.Add, exchange.Field{Name: name, Value: v})
		}
	}
	if len(edit.Remove) == 0 {
		return nil
	}
	return &exchange.Edits{Answer: edit}
}

// answerHeaders are the headers that a listener can add to answers.
func answerHeaders() []string {
	return []string{
		"Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods",
		"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Access-Control-Max-Age",
		"Content-Security-Policy", "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options",
	}
}
