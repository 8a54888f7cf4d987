package certificates

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
)

// Request is what was asked for in a request.
type Request struct {
	Names        []string          // the main one first; lower case, each once
	Algorithm    string            // of the key: "RSA_2048"
	Validation   string            // "DNS", "EMAIL" or "HTTP", as the caller asked
	Transparency string            // "ENABLED" or "DISABLED": certificate transparency logging
	Export       string            // "ENABLED" or "DISABLED": whether the private key may be had
	Domains      map[string]string // by which domains names are validated by mail, where it is not themselves
	Token        string            // repeats a request for an hour
}

// tokenLife is how long a request's token is remembered (API_RequestCertificate).
const tokenLife = time.Hour

// The limits of a request (API_RequestCertificate, acm limits).
const (
	maxNames = 100
	maxName  = 253
	// maxMain is the longest main name, which becomes the CommonName.
	maxMain = 64
)

// namePattern is what a name must be like (API_RequestCertificate, DomainName).
func namePattern() *regexp.Regexp {
	return regexp.MustCompile(`^(\*\.)?(([a-z0-9]|[a-z0-9][a-z0-9-]{0,61}[a-z0-9])\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$`)
}

// Request makes a certificate for names and returns its record. By the server's
// own authority it is issued at once, and nobody is asked whether the names are the
// caller's: only clients that trust the authority believe it. Names below the
// public domain are ordered from the public issuer, where there is one; the record
// is pending until they are validated. A token that was used within the hour returns
// the certificate of then. Codes: ValidationException, InvalidArgsException.
func (c *Certificates) Request(ctx context.Context, req Request, tags []model.Tag) (Certificate, error) {
	req, err := c.checkRequest(req)
	if err != nil {
		return Certificate{}, err
	}
	if made, ok, err := c.repeated(req); ok || err != nil {
		return made, err
	}
	arn := c.cfg.Place.CertificateARN(random.UUID())
	made := Certificate{ARN: arn, Type: Issued, Tags: tags, CreatedAt: c.now().UTC(), Request: req}
	if !c.public(req.Names) {
		issued, err := c.order(ctx, made)
		if err != nil {
			return Certificate{}, err
		}
		made = issued
	}
	if err := c.table.Put(ctx, arn, made); err != nil {
		return Certificate{}, err
	}
	c.wake()
	return made, nil
}

// checkRequest returns a request in its final form, or what stands against it.
func (c *Certificates) checkRequest(req Request) (Request, error) {
	pattern := namePattern()
	var names []string
	for i, name := range req.Names {
		name = strings.ToLower(name)
		last := name[strings.LastIndexByte(name, '.')+1:]
		switch {
		case len(name) > maxName || !pattern.MatchString(name) || strings.Trim(last, "0123456789") == "":
			return req, invalid("The domain name '%s' is not valid: a fully qualified domain name is expected, as www.example.com or *.example.com.", shortened(name))
		case i == 0 && len(name) > maxMain:
			return req, invalid("The first domain name can have at most %d characters; put a shorter one first.", maxMain)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if len(names) > maxNames {
			return req, invalid("The certificate would have more than %d domain names.", maxNames)
		}
	}
	if c.public(names) && slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "*.") }) {
		return req, invalid("A wildcard below the public domain '%s' cannot be had: the certificate authority validates names over HTTP and TLS, which it does not for wildcards. Name the hosts.", c.cfg.Public.Domain)
	}
	req.Names = names
	return req, nil
}

// repeated returns the certificate of an earlier request with the same token.
func (c *Certificates) repeated(req Request) (Certificate, bool, error) {
	if req.Token == "" {
		return Certificate{}, false, nil
	}
	since := c.now().Add(-tokenLife)
	for _, r := range c.table.List("") {
		if r.Request.Token != req.Token || r.CreatedAt.Before(since) || r.Request.Names[0] != req.Names[0] {
			continue
		}
		if !slices.Equal(r.Request.Names, req.Names) || r.Request.Algorithm != req.Algorithm {
			return Certificate{}, false, model.Errorf(model.Invalid, "InvalidParameterException", "The idempotency token was used for another request within the last hour.")
		}
		return r, true, nil
	}
	return Certificate{}, false, nil
}

// shortened is as much of a text of others as an error shows.
func shortened(s string) string {
	const most = 100
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}
