// Package s3 is the face of objects: the part of Amazon S3's REST API that
// `aws s3`, SDKs and Terraform call to keep files in buckets, over package
// objects. It keeps nothing of its own.
//
// S3 shares no protocol with the other services: the operation is in the method,
// the path and the query, errors and answers are XML of its own, and bodies are
// streams. What is not in the table of operations is answered NotImplemented.
package s3

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"neargate/internal/aws/sigv4"
	"neargate/internal/model"
	"neargate/internal/objects"
	"neargate/internal/random"
)

// Signing is S3's name in signatures.
const Signing = "s3"

// verifier checks signatures.
type verifier interface {
	Stream(r *http.Request, service string) (*sigv4.Payload, error)
}

// Config sets up the face.
type Config struct {
	Place model.Place
	// Names are the host names of the server: BUCKET.NAME is the address of a
	// bucket.
	Names []string
	Log   *slog.Logger
}

// service is the face. Immutable after New.
type service struct {
	objects *objects.Objects
	auth    verifier
	cfg     Config
}

// New returns the handler of requests that are signed for S3.
func New(o *objects.Objects, auth verifier, cfg Config) http.Handler {
	return &service{objects: o, auth: auth, cfg: cfg}
}

// request is one call on its way.
type request struct {
	*http.Request
	w           http.ResponseWriter
	bucket, key string
	payload     *sigv4.Payload
	op          string
}

// query returns a parameter of the query, "" when it is missing.
func (r *request) query(name string) string { return r.URL.Query().Get(name) }

// ServeHTTP answers one request.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := strings.ToUpper(random.Hex(16))
	w.Header().Set("X-Amz-Request-Id", id)
	w.Header().Set("Server", "AmazonS3")
	call := &request{Request: r, w: w}
	call.bucket, call.key = s.resource(r)
	err := s.call(call) //nolint:contextcheck // it is in the request
	code := ""
	if err != nil {
		code = s.fail(call, id, err)
	}
	s.cfg.Log.LogAttrs(r.Context(), slog.LevelDebug, "api call",
		slog.String("service", Signing), slog.String("operation", call.op), slog.String("code", code), slog.String("request_id", id))
}

// call lets the operation run. Panics end here.
func (s *service) call(r *request) (err error) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
			panic(p)
		} else if p != nil {
			err = errors.New("panic: " + string(debug.Stack()))
		}
	}()
	if r.payload, err = s.auth.Stream(r.Request, Signing); err != nil {
		return err
	}
	op, ok := s.operation(r)
	if !ok || slices.ContainsFunc(refusedHeaders(), func(name string) bool { return r.Header.Get(name) != "" }) {
		return model.Errorf(model.Invalid, "NotImplemented", "A header or query you provided requested a function that is not implemented.")
	}
	r.op = op.name
	if err := op.run(r); err != nil {
		return err
	}
	return nil
}

// resource returns the bucket and the key that a request names, by its path or
// by its host and its path.
func (s *service) resource(r *http.Request) (bucket, key string) {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	for _, name := range s.cfg.Names {
		if bucket, ok := strings.CutSuffix(host, "."+name); ok && bucket != "" && bucket != Signing {
			return bucket, path
		}
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

// body reads the whole of a request's body, which is a document.
func (r *request) body() ([]byte, error) {
	const most = 2 << 20 // a thousand keys of a kilobyte, and their XML
	b, err := io.ReadAll(io.LimitReader(r.payload.Body, most+1))
	if err == nil && len(b) > most {
		err = model.Errorf(model.Invalid, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	return b, readError(err)
}

// readError names what a client has broken off.
func readError(err error) error {
	if _, ours := errors.AsType[*model.Error](err); err == nil || ours || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return model.Errorf(model.Invalid, "IncompleteBody", "The request body terminated unexpectedly")
	}
	return err
}

// operation is one of S3's.
type operation struct {
	name   string
	method string
	level  level
	query  string // the parameter that tells it from others; "": none of S3's
	header string // the same of a header
	run    func(*request) error
}

// level is what a request names.
type level int

const (
	account level = iota
	ofBucket
	ofObject
)

// operation finds the operation of a request: the first in the table that fits.
func (s *service) operation(r *request) (operation, bool) {
	at := account
	switch {
	case r.key != "":
		at = ofObject
	case r.bucket != "":
		at = ofBucket
	}
	query := r.URL.Query()
	special := ""
	for _, name := range subresources() {
		if query.Has(name) && (name != "versionId" || query.Get(name) != nullVersion) {
			special = name
		}
	}
	all := s.operations()
	i := slices.IndexFunc(all, func(op operation) bool {
		return op.method == r.Method && op.level == at && op.query == special && (op.header == "" || r.Header.Get(op.header) != "")
	})
	if i >= 0 {
		return all[i], true
	}
	if at == ofBucket && special != "" {
		return s.setting(r.Method, special)
	}
	return operation{}, false
}
