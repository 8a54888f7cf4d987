package acme

import (
	"crypto/tls"
	"strings"

	rfc8555 "golang.org/x/crypto/acme"
)

// The kinds of proofs that can be shown.
const (
	httpProof = "http-01"
	tlsProof  = "tls-alpn-01"
)

// show has a proof shown until withdraw is called.
func (c *Client) show(client *rfc8555.Client, ch *rfc8555.Challenge, name string) (withdraw func(), err error) {
	if ch.Type == httpProof {
		proof, err := client.HTTP01ChallengeResponse(ch.Token)
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		c.tokens[ch.Token] = proof
		c.mu.Unlock()
		return func() {
			c.mu.Lock()
			delete(c.tokens, ch.Token)
			c.mu.Unlock()
		}, nil
	}
	cert, err := client.TLSALPN01ChallengeCert(ch.Token, name)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.hellos[name] = &cert
	c.mu.Unlock()
	return func() {
		c.mu.Lock()
		delete(c.hellos, name)
		c.mu.Unlock()
	}, nil
}

// HTTPProof returns what proves an order to whom asks for a token below
// /.well-known/acme-challenge/; false for a token of others.
func (c *Client) HTTPProof(token string) (string, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	proof, ok := c.tokens[token]
	return proof, ok
}

// TLSProof returns the certificate that proves an order to whom asks for the name
// and the protocol acme-tls/1 by ALPN; nil: there is none.
func (c *Client) TLSProof(name string) *tls.Certificate {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.hellos[strings.ToLower(name)]
}
