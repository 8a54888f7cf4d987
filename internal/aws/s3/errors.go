package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"

	"neargate/internal/model"
)

// errorAnswer is S3's error.
type errorAnswer struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	Resource  string
	RequestID string `xml:"RequestId"`
}

// statuses are those of S3's error codes that have not the one of their kind.
// [Amazon S3 API reference, "Error responses"].
func statuses() map[string]int {
	return map[string]int{
		"BucketNotEmpty":          http.StatusConflict,
		"BucketAlreadyOwnedByYou": http.StatusConflict,
		"PreconditionFailed":      http.StatusPreconditionFailed,
		"NotModified":             http.StatusNotModified,
		"InvalidRange":            http.StatusRequestedRangeNotSatisfiable,
		"MissingContentLength":    http.StatusLengthRequired,
		"NotImplemented":          http.StatusNotImplemented,
		"ExpiredToken":            http.StatusBadRequest,
		"InvalidRequest":          http.StatusBadRequest,
	}
}

// codes are S3's names for the errors of signatures.
func codes() map[string]string {
	return map[string]string{
		"InvalidSignatureException":           "SignatureDoesNotMatch",
		"UnrecognizedClientException":         "InvalidAccessKeyId",
		"ExpiredTokenException":               "ExpiredToken",
		"MissingAuthenticationTokenException": "AccessDenied",
		"IncompleteSignatureException":        "AuthorizationHeaderMalformed",
	}
}

// fail answers an error, and returns its code. What is not a *model.Error is our
// own fault: the caller learns nothing but that.
func (s *service) fail(r *request, id string, err error) string {
	e, ok := errors.AsType[*model.Error](err)
	if !ok || e.Kind == model.Internal {
		if !errors.Is(err, context.Canceled) {
			s.cfg.Log.Error("api call failed", "service", Signing, "operation", r.op, "request_id", id, "err", err)
		}
		e = model.Errorf(model.Internal, "InternalError", "We encountered an internal error. Please try again.")
	}
	answer := errorAnswer{Code: e.Code, Message: e.Msg, Resource: r.URL.Path, RequestID: id}
	if code, ok := codes()[e.Code]; ok {
		answer.Code = code
	}
	status, known := statuses()[answer.Code]
	switch {
	case known:
	case e.Kind == model.NotFound:
		status = http.StatusNotFound
	case e.Kind == model.Denied:
		status = http.StatusForbidden
	case e.Kind == model.Internal:
		status = http.StatusInternalServerError
	default:
		status = http.StatusBadRequest
	}
	r.w.Header().Del("ETag")
	if r.Method == http.MethodHead || status == http.StatusNotModified {
		r.w.WriteHeader(status)
		return answer.Code
	}
	writeXML(r.w, status, answer)
	return answer.Code
}

// writeXML answers a document. An error means that the client has gone.
func writeXML(w http.ResponseWriter, status int, v any) {
	b, err := xml.Marshal(v)
	if err != nil {
		panic("s3: an answer has no XML: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = w.Write(append([]byte(xml.Header), b...))
}

func malformed() error {
	return model.Errorf(model.Invalid, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

func badArgument(sentence string) error {
	return model.Errorf(model.Invalid, "InvalidArgument", "%s", sentence)
}
