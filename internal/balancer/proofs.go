package balancer

import (
	"crypto/tls"
	"strings"

	"neargate/internal/balancer/exchange"
)

// proofs are what is shown to an authority that looks whether a name leads here.
type proofs interface {
	// HTTPProof returns the answer to who asks for a token.
	HTTPProof(token string) (string, bool)
	// TLSProof returns the certificate for a handshake of such kind; nil: none.
	TLSProof(name string) *tls.Certificate
}

// proofPath is where an authority asks over HTTP (RFC 8555, section 8.3).
const proofPath = "/.well-known/acme-challenge/"

// proof returns the answer to an authority's question; nil: it is another request,
// or asks for a token that is not ours, which is the targets' then.
func (f *frontend) proof(r *exchange.Request) *exchange.Answer {
	if f.proofs == nil {
		return nil
	}
	token, ok := strings.CutPrefix(r.Path, proofPath)
	if !ok {
		return nil
	}
	proof, ok := f.proofs.HTTPProof(token)
	if !ok {
		return nil
	}
	return &exchange.Answer{Status: 200, ContentType: "application/octet-stream", Body: proof}
}
