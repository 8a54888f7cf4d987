package balancer

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net/url"
	"strings"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/front"
	"neargate/internal/model"
)

// clientHeader is a header that tells a target of its client's certificate
// (mutual-authentication, "HTTP headers").
type clientHeader struct {
	name      string // AWS's; a listener may have another one for it
	attribute string // of the listener, with the other name
	value     func(chain []*x509.Certificate) string
}

// clientHeaders are those of the mode verify.
func clientHeaders() []clientHeader {
	return []clientHeader{
		{"X-Amzn-Mtls-Clientcert-Serial-Number", "x_amzn_mtls_clientcert_serial_number", func(c []*x509.Certificate) string {
			return fmt.Sprintf("%X", c[0].SerialNumber.Bytes()) // "03A5B1", as AWS has it
		}},
		{"X-Amzn-Mtls-Clientcert-Issuer", "x_amzn_mtls_clientcert_issuer", func(c []*x509.Certificate) string { return printable(c[0].Issuer) }},
		{"X-Amzn-Mtls-Clientcert-Subject", "x_amzn_mtls_clientcert_subject", func(c []*x509.Certificate) string { return printable(c[0].Subject) }},
		{"X-Amzn-Mtls-Clientcert-Validity", "x_amzn_mtls_clientcert_validity", validity},
		{"X-Amzn-Mtls-Clientcert-Leaf", "x_amzn_mtls_clientcert_leaf", func(c []*x509.Certificate) string { return encoded(c[:1]) }},
	}
}

// printable is a name as a header may have it: whoever made the certificate chose
// it, so that it may hold what would end the header and begin another.
func printable(name pkix.Name) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, name.String())
}

// wholeChain is the header of the mode passthrough.
func wholeChain() clientHeader {
	return clientHeader{"X-Amzn-Mtls-Clientcert", "x_amzn_mtls_clientcert", encoded}
}

func validity(chain []*x509.Certificate) string {
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	return "NotBefore=" + at(chain[0].NotBefore) + ";NotAfter=" + at(chain[0].NotAfter)
}

// encoded is certificates in PEM, one after another, percent-encoded but for
// "+", "=" and "/".
func encoded(chain []*x509.Certificate) string {
	var text strings.Builder
	for _, c := range chain {
		text.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	out := url.PathEscape(text.String()) // leaves "+" and "="
	return strings.ReplaceAll(out, "%2F", "/")
}

// clientNames are the names under which a listener tells its targets of clients'
// certificates, by AWS's names for them.
type clientNames map[string]string

// clientNamesOf reads the names of a listener that asks its clients for
// certificates; nil for another.
func clientNamesOf(l model.Listener) clientNames {
	if l.Mutual.Mode == "" || l.Mutual.Mode == "off" {
		return nil
	}
	names := clientNames{}
	for _, h := range append(clientHeaders(), wholeChain()) {
		names[h.name] = h.name
		if other := l.Attributes["routing.http.request."+h.attribute+".header_name"]; other != "" {
			names[h.name] = other
		}
	}
	return names
}

// tell adds what the client's certificate says of it to an edit of a request. What
// the client itself says under these names does not pass.
func (names clientNames) tell(edit *exchange.Edit, secure *front.Secure) {
	headers := clientHeaders()
	if secure.By.Passes() {
		headers = []clientHeader{wholeChain()}
	}
	for aws, name := range names {
		edit.Remove = append(edit.Remove, aws, name)
	}
	if len(secure.Chain) == 0 {
		return
	}
	for _, h := range headers {
		edit.Add = append(edit.Add, exchange.Field{Name: names[h.name], Value: h.value(secure.Chain)})
	}
}
