package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strings"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// S3's words for how a body is signed, in X-Amz-Content-Sha256; anything else
// is the body's hash. [Amazon S3 API reference, "sigv4-auth-using-authorization-header"].
const (
	chunksSigned        = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	chunksSignedTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	chunksTrailer       = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// Payload is what a request to S3 brings.
type Payload struct {
	Caller wire.Caller
	// Body is the content, without the form in which it was sent. It ends with an
	// error, not io.EOF, when it is not what was signed: a *model.Error of Kind
	// Denied or Invalid with S3's code.
	Body io.Reader
	// Trailer has what followed the content, once Body has ended.
	Trailer http.Header
}

// ServiceOf returns the service that a request is signed for, "" when it is not
// signed.
func ServiceOf(r *http.Request) string {
	_, credential, found := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if !found {
		credential = r.URL.Query().Get("X-Amz-Credential")
	}
	scope := strings.SplitN(credential, "/", 5)
	if len(scope) != 5 {
		return ""
	}
	return scope[3]
}

// Stream checks the signature of a request whose head names how its body is
// signed, as all to S3 do. Errors as those of Authenticate.
func (v *Verifier) Stream(r *http.Request, service string) (*Payload, error) {
	s, key, err := v.head(r, service)
	if err != nil {
		return nil, err
	}
	kind := r.Header.Get("X-Amz-Content-Sha256")
	if kind == "" && s.presigned {
		kind = unsignedPayload
	}
	if kind == "" {
		return nil, denied("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
	}
	// S3 takes the path as it is, encoded once.
	caller, err := s.check(key, canonicalText(r, s, escape(r.URL.Path, true), kind))
	if err != nil {
		return nil, err
	}
	p := &Payload{Caller: caller, Body: r.Body, Trailer: http.Header{}}
	switch kind {
	case unsignedPayload:
	case chunksSigned, chunksSignedTrailer:
		p.Body = newChunks(r.Body, p.Trailer, &chain{s: s, key: s.key(key.Secret), last: s.signature})
	case chunksTrailer:
		p.Body = newChunks(r.Body, p.Trailer, nil)
	default:
		p.Body = &hashed{body: r.Body, sum: sha256.New(), want: kind}
	}
	return p, nil
}

// hashed is a body whose hash was signed.
type hashed struct {
	body io.Reader
	sum  hash.Hash
	want string
}

// Read implements io.Reader.
func (h *hashed) Read(b []byte) (int, error) {
	n, err := h.body.Read(b)
	h.sum.Write(b[:n])
	if errors.Is(err, io.EOF) && hex.EncodeToString(h.sum.Sum(nil)) != h.want {
		return n, model.Errorf(model.Invalid, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return n, err
}

// chain signs the chunks of a body, each with the signature before it.
type chain struct {
	s    *signed
	key  []byte
	last string
}

// chunk returns the signature of a chunk with a hash.
func (c *chain) chunk(sum []byte) string {
	c.last = c.s.signText(c.key, algorithm+"-PAYLOAD", c.last, hexHash(nil), hex.EncodeToString(sum))
	return c.last
}

// trailer returns the signature of what follows the last chunk.
func (c *chain) trailer(lines string) string {
	c.last = c.s.signText(c.key, algorithm+"-TRAILER", c.last, hexHash([]byte(lines)))
	return c.last
}
