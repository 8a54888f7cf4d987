package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path"
	"runtime/debug"
	"strings"
	"syscall"

	"cuelabs.dev/go/oci/ociregistry"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
)

// Handler serves the OCI distribution protocol under /v2/. Every request needs
// a token, as user AWS by basic authentication.
func (r *Registry) Handler() http.Handler {
	oci := ociserver.New(backend{r: r}, &ociserver.Options{
		DisableReferrersAPI: true, // clients then fall back to the referrers tag
		MaxListPageSize:     1000, // as ECR
		WriteError:          r.writeProtocolError,
	})
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
		if !r.authorize(w, req) {
			return
		}
		defer r.survive(w, req)
		req, ok := r.prepare(w, req)
		if !ok {
			return
		}
		oci.ServeHTTP(w, req)
	})
}

// survive ends a request that panicked with an answer and a line in the log.
func (r *Registry) survive(w http.ResponseWriter, req *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	r.log.Error("serve registry request", "method", req.Method, "path", req.URL.Path, "panic", p, "stack", string(debug.Stack()))
	writeError(w, http.StatusInternalServerError, ociregistry.NewError("internal error", "UNKNOWN", nil))
}

// prepare bounds a request's body and does what the library leaves out: it
// answers an oversized manifest with 413 and a broken one with 400, takes a
// blob of one byte, and turns a mount that is not possible into an upload, as
// the specification asks.
func (r *Registry) prepare(w http.ResponseWriter, req *http.Request) (*http.Request, bool) {
	if req.Method == http.MethodPut && path.Base(path.Dir(req.URL.Path)) == "manifests" {
		data, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxManifestBytes))
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			r.writeProtocolError(w, req, errTooLarge("manifest", maxManifestBytes))
			return nil, false
		}
		if err != nil {
			return nil, false // the client is gone
		}
		// The library answers JSON that it cannot read with 500.
		if _, err := parseManifest(data, req.Header.Get("Content-Type")); err != nil {
			r.writeProtocolError(w, req, wireError(err))
			return nil, false
		}
		req.Body = io.NopCloser(bytes.NewReader(data))
		return req, true
	}
	req.Body = http.MaxBytesReader(w, req.Body, r.cfg.MaxBlobBytes)
	if req.ContentLength == 1 && req.Header.Get("Content-Range") == "0-0" {
		req.Header.Del("Content-Range") // the library reads it as a range of no bytes
	}
	if q := req.URL.Query(); req.Method == http.MethodPost && q.Has("mount") && r.hasBlob(q.Get("from"), q.Get("mount")) != nil {
		u := *req.URL
		u.RawQuery = ""
		req = req.Clone(req.Context())
		req.URL = &u
	}
	return req, true
}

// writeProtocolError answers an error in the protocol's JSON. What is not the
// client's doing is logged, and answered without its details.
func (r *Registry) writeProtocolError(w http.ResponseWriter, req *http.Request, err error) {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		err = errTooLarge("blob", r.cfg.MaxBlobBytes)
	}
	_, known := errors.AsType[ociregistry.Error](err)
	_, withStatus := errors.AsType[ociregistry.HTTPError](err)
	switch {
	case known || withStatus:
		_ = ociregistry.WriteError(w, err) // an error is the client's going away
	case req.Context().Err() != nil:
		r.log.Debug("request broken off", "method", req.Method, "path", req.URL.Path, "error", err)
	case isOutOfRoom(err):
		r.log.Error("serve registry request", "method", req.Method, "path", req.URL.Path, "error", err)
		writeError(w, http.StatusInsufficientStorage, ociregistry.NewError("no space left on the registry's disk", "UNAVAILABLE", nil))
	default:
		r.log.Error("serve registry request", "method", req.Method, "path", req.URL.Path, "error", err)
		writeError(w, http.StatusInternalServerError, ociregistry.NewError("internal error", "UNKNOWN", nil))
	}
}

// isOutOfRoom reports whether the disk had no room. Of errors in the midst of a
// body the library keeps the text alone.
func isOutOfRoom(err error) bool {
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		if errors.Is(err, full) || strings.HasSuffix(err.Error(), full.Error()) {
			return true
		}
	}
	return false
}

// writeError answers one error with a status of our choice.
func writeError(w http.ResponseWriter, status int, e ociregistry.Error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	msg := e.Error()
	if we, ok := e.(*ociregistry.WireError); ok {
		msg = we.Message
	}
	// An error is the client's going away.
	_ = json.NewEncoder(w).Encode(ociregistry.WireErrors{Errors: []ociregistry.WireError{{Code_: e.Code(), Message: msg}}})
}
