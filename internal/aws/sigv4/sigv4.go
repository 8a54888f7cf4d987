// Package sigv4 verifies AWS Signature Version 4 (AWS4-HMAC-SHA256) on
// requests, signed in the Authorization header or presigned in the URL; also
// S3's form of it, in which a body is checked while it is read.
//
// It owns no keys: it asks for them by access key. Its errors carry AWS JSON's
// codes and AWS's texts; package wire translates them for the other
// protocols. A Verifier is safe for concurrent use.
package sigv4

import (
	"crypto/hmac"
	"fmt"
	"net/http"
	"time"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// Key is what belongs to an access key.
type Key struct {
	Secret  string
	Token   string    // session token of temporary credentials, else ""
	Expires time.Time // zero: never
	Caller  wire.Caller
}

// keys finds keys by access key.
type keys interface {
	Key(accessKey string) (Key, bool)
}

// Config sets up a Verifier. The zero value is valid.
type Config struct {
	Region string           // the only region that requests may be signed for; "" allows any
	Now    func() time.Time // nil is time.Now
}

// Global services are signed for us-east-1 by clients of any region.
const globalRegion = "us-east-1"

const (
	maxSkew = 5 * time.Minute
	// maxPresigned is how long a presigned URL may be valid.
	maxPresigned = 7 * 24 * time.Hour
)

// Verifier checks signatures.
type Verifier struct {
	keys keys
	cfg  Config
}

// New makes a Verifier over keys.
func New(keys keys, cfg Config) *Verifier {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Verifier{keys: keys, cfg: cfg}
}

// Authenticate checks what the head of r alone shows: that it is to be signed
// for service by a known key, now. It returns the check of the signature over
// the body as it came over the wire. Errors, all *model.Error of Kind Denied:
// MissingAuthenticationTokenException, IncompleteSignatureException,
// UnrecognizedClientException, ExpiredTokenException,
// InvalidSignatureException.
func (v *Verifier) Authenticate(r *http.Request, service string) (wire.Signature, error) {
	s, key, err := v.head(r, service)
	if err != nil {
		return nil, err
	}
	return func(body []byte) (wire.Caller, error) {
		return s.check(key, canonicalRequest(r, body, s))
	}, nil
}

// head checks all that the head of a request shows.
func (v *Verifier) head(r *http.Request, service string) (*signed, Key, error) {
	s, err := parse(r)
	if err != nil {
		return nil, Key{}, err
	}
	key, ok := v.keys.Key(s.accessKey)
	if !ok || !hmac.Equal([]byte(key.Token), []byte(s.token)) {
		return nil, Key{}, denied("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	now := v.cfg.Now()
	if !key.Expires.IsZero() && !now.Before(key.Expires) {
		return nil, Key{}, denied("ExpiredTokenException", "The security token included in the request is expired")
	}
	if err := v.checkScope(s, service); err != nil {
		return nil, Key{}, err
	}
	return s, key, s.checkTime(now)
}

// check compares the signature of a canonical request.
func (s *signed) check(key Key, canonical string) (wire.Caller, error) {
	if !hmac.Equal([]byte(s.sign(key.Secret, canonical)), []byte(s.signature)) {
		return wire.Caller{}, invalid("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	caller := key.Caller
	caller.AccessKey = s.accessKey
	return caller, nil
}

func (v *Verifier) checkScope(s *signed, service string) error {
	if s.service != service {
		return invalid("Credential should be scoped to correct service: '%s'.", service)
	}
	global := s.region == globalRegion && (service == "iam" || service == "sts")
	if v.cfg.Region != "" && s.region != v.cfg.Region && !global {
		return invalid("Credential should be scoped to a valid region, not '%.40s'.", s.region)
	}
	if day := s.at.Format("20060102"); s.day != day {
		return invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%.20s' != '%s', from '%s'.", s.day, day, stamp(s.at))
	}
	return nil
}

// checkTime lets a header's signature be off by maxSkew either way, and a
// presigned URL live as long as it names.
func (s *signed) checkTime(now time.Time) error {
	lives := maxSkew
	if s.presigned {
		lives = s.expires
	}
	if now.After(s.at.Add(lives)) {
		return invalid("Signature expired: %s is now earlier than %s (%s - %s.)", stamp(s.at), stamp(now.Add(-lives)), stamp(now), span(lives))
	}
	if s.at.After(now.Add(maxSkew)) {
		return invalid("Signature not yet current: %s is still later than %s (%s + %s.)", stamp(s.at), stamp(now.Add(maxSkew)), stamp(now), span(maxSkew))
	}
	return nil
}

// timeFormat is ISO 8601's basic form, as X-Amz-Date has it.
const timeFormat = "20060102T150405Z"

func stamp(t time.Time) string { return t.UTC().Format(timeFormat) }

func span(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d sec", d/time.Second)
}

func denied(code, msg string) error { return model.Errorf(model.Denied, code, "%s", msg) }

func invalid(format string, args ...any) error {
	return model.Errorf(model.Denied, "InvalidSignatureException", format, args...)
}
