package acme

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	rfc8555 "golang.org/x/crypto/acme"
)

// Issue orders a certificate for the holder of a key and names, and returns it
// with those it is signed by, in PEM.
func (c *Client) Issue(ctx context.Context, holder crypto.Signer, names []string) ([]byte, error) {
	c.ordering.Lock()
	defer c.ordering.Unlock()
	chain, err := c.issue(ctx, holder, names)
	if _, unproved := errors.AsType[*rfc8555.AuthorizationError](err); unproved && rejection(err) == "" {
		chain, err = c.issue(ctx, holder, names) // by the other kind of proof
	}
	if reason := rejection(err); reason != "" {
		err = c.cfg.Rejected(reason, err)
	}
	return chain, err
}

func (c *Client) issue(ctx context.Context, holder crypto.Signer, names []string) ([]byte, error) {
	client, err := c.register(ctx)
	if err != nil {
		return nil, err
	}
	order, err := client.AuthorizeOrder(ctx, rfc8555.DomainIDs(names...))
	if err != nil {
		return nil, fmt.Errorf("order: %w", err)
	}
	for _, url := range order.AuthzURLs {
		if err := c.authorize(ctx, client, url); err != nil {
			return nil, err
		}
	}
	if _, err = client.WaitOrder(ctx, order.URI); err != nil {
		return nil, fmt.Errorf("wait for the order: %w", err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: names}, holder)
	if err != nil {
		return nil, err
	}
	all, _, err := client.CreateCertFromOrder(ctx, order, csr, true)
	if err != nil {
		return nil, fmt.Errorf("finish the order: %w", err)
	}
	var out bytes.Buffer
	for _, der := range all {
		if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// authorize proves that one name leads here. Where one kind of proof fails the next
// order, which there must be then, tries the other: which of a load balancer's ports the world reaches is not
// known here.
func (c *Client) authorize(ctx context.Context, client *rfc8555.Client, url string) error {
	z, err := client.GetAuthorization(ctx, url)
	if err != nil {
		return fmt.Errorf("authorization: %w", err)
	}
	if z.Status == rfc8555.StatusValid {
		return nil
	}
	name := z.Identifier.Value
	var offered []*rfc8555.Challenge
	for _, kind := range []string{httpProof, tlsProof} {
		if i := slices.IndexFunc(z.Challenges, func(ch *rfc8555.Challenge) bool { return ch.Type == kind }); i >= 0 {
			offered = append(offered, z.Challenges[i])
		}
	}
	if len(offered) == 0 {
		return fmt.Errorf("the authority offers no proof for %s that can be shown", name)
	}
	if err := c.prove(ctx, client, z, offered[c.turn[name]%len(offered)]); err != nil {
		c.turn[name]++
		return err
	}
	return nil
}

// prove proves one name in one way.
func (c *Client) prove(ctx context.Context, client *rfc8555.Client, z *rfc8555.Authorization, by *rfc8555.Challenge) error {
	withdraw, err := c.show(client, by, z.Identifier.Value)
	if err != nil {
		return err
	}
	defer withdraw()
	if _, err = client.Accept(ctx, by); err == nil {
		_, err = client.WaitAuthorization(ctx, z.URI)
	}
	if err != nil {
		return fmt.Errorf("prove %s by %s: %w", z.Identifier.Value, by.Type, err)
	}
	return nil
}

// rejection is AWS's reason for an order that the authority will never meet, "" for
// another failure.
func rejection(err error) string {
	if z, ok := errors.AsType[*rfc8555.AuthorizationError](err); ok {
		for _, e := range z.Errors {
			if reason := rejection(e); reason != "" {
				return reason
			}
		}
		return ""
	}
	e, ok := errors.AsType[*rfc8555.Error](err)
	if !ok {
		return ""
	}
	switch e.ProblemType {
	case "urn:ietf:params:acme:error:caa":
		return "CAA_ERROR"
	case "urn:ietf:params:acme:error:rejectedIdentifier":
		return "DOMAIN_NOT_ALLOWED"
	case "urn:ietf:params:acme:error:unsupportedIdentifier":
		return "INVALID_PUBLIC_DOMAIN"
	}
	for _, sub := range e.Subproblems {
		if sub.Type == "urn:ietf:params:acme:error:rejectedIdentifier" {
			return "DOMAIN_NOT_ALLOWED"
		}
	}
	return ""
}
