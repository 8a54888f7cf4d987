package s3

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"neargate/internal/model"
	"neargate/internal/objects"
)

// getObject answers GetObject and HeadObject: codes NoSuchBucket, NoSuchKey,
// PreconditionFailed, NotModified, InvalidRange.
func (s *service) getObject(r *request) error {
	o, err := s.objects.Object(r.bucket, r.key)
	if err != nil {
		return err
	}
	h := r.w.Header()
	for name, value := range o.Headers {
		h.Set(name, value)
	}
	h.Set("ETag", quoted(o.ETag))
	h.Set("Last-Modified", o.ModifiedAt.UTC().Format(http.TimeFormat))
	h.Set("Accept-Ranges", "bytes")
	h.Set("X-Amz-Server-Side-Encryption", "AES256")
	if len(o.Tags) > 0 {
		h.Set("X-Amz-Tagging-Count", strconv.Itoa(len(o.Tags)))
	}
	if err := r.condition(o); err != nil {
		return err
	}
	part, err := r.slice(o)
	if err != nil {
		return err
	}
	if part.whole && r.Header.Get("X-Amz-Checksum-Mode") == "ENABLED" {
		checksum{}.answer(h, o.Checksum)
	}
	for name, header := range overrides() {
		if value := r.query(name); value != "" {
			h.Set(header, value)
		}
	}
	return s.send(r, o, part)
}

// overrides are the parameters by which a caller sets headers of the answer.
func overrides() map[string]string {
	return map[string]string{
		"response-cache-control": "Cache-Control", "response-content-disposition": "Content-Disposition",
		"response-content-encoding": "Content-Encoding", "response-content-language": "Content-Language",
		"response-content-type": "Content-Type", "response-expires": "Expires",
	}
}

// send answers a part of an object's content.
func (s *service) send(r *request, o objects.Object, part slice) error {
	var content io.ReadCloser
	if r.Method != http.MethodHead {
		var err error
		if content, err = s.objects.Read(o, part.offset, part.length); err != nil {
			return err
		}
		defer func() { _ = content.Close() }()
	}
	r.w.Header().Set("Content-Length", strconv.FormatInt(part.length, 10))
	status := http.StatusOK
	if !part.whole {
		status = http.StatusPartialContent
		r.w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", part.offset, part.offset+part.length-1, o.Size))
	}
	r.w.WriteHeader(status)
	if content == nil {
		return nil
	}
	if n, err := io.Copy(r.w, content); err != nil || n != part.length {
		// The head has gone out: only the connection's end can tell. The client
		// may have gone itself.
		panic(http.ErrAbortHandler)
	}
	return nil
}

// condition holds the conditional headers against an object. [RFC 9110, 13.2].
func (r *request) condition(o objects.Object) error {
	h := r.Header
	since := func(name string) (time.Time, bool) {
		t, err := http.ParseTime(h.Get(name))
		return t, err == nil
	}
	modified := o.ModifiedAt.Truncate(time.Second)
	match, none := h.Get("If-Match"), h.Get("If-None-Match")
	unmodifiedSince, hasUnmodified := since("If-Unmodified-Since")
	modifiedSince, hasModified := since("If-Modified-Since")
	switch {
	case match != "" && !names(match, o.ETag), match == "" && hasUnmodified && modified.After(unmodifiedSince):
		return errPrecondition()
	case none != "" && names(none, o.ETag), none == "" && hasModified && !modified.After(modifiedSince):
		return model.Errorf(model.Conflict, "NotModified", "Not Modified")
	}
	return nil
}

// names reports whether a list of ETags has one.
func names(list, etag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.Trim(strings.TrimSpace(one), `"`); one == etag || one == "*" {
			return true
		}
	}
	return false
}

// slice is a part of a content.
type slice struct {
	offset, length int64
	whole          bool
}

// slice reads the Range header. What is no range of bytes, or several, is as
// none. InvalidRange.
func (r *request) slice(o objects.Object) (slice, error) {
	all := slice{0, o.Size, true}
	spec, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes=")
	first, last, isRange := strings.Cut(spec, "-")
	if !ok || !isRange || strings.Contains(spec, ",") {
		return all, nil
	}
	if match := r.Header.Get("If-Range"); match != "" && !names(match, o.ETag) {
		return all, nil
	}
	from, errFrom := strconv.ParseInt(first, 10, 64)
	to, errTo := strconv.ParseInt(last, 10, 64)
	switch {
	case first == "" && errTo == nil: // the last bytes
		from, to = max(0, o.Size-to), o.Size-1
		if last == "0" {
			from = o.Size
		}
	case errFrom != nil || last != "" && (errTo != nil || to < from):
		return all, nil //nolint:nilerr // a range that is none is no range [RFC 9110, 14.2]
	case last == "" || to >= o.Size:
		to = o.Size - 1
	}
	if from >= o.Size {
		r.w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", o.Size))
		return all, model.Errorf(model.Invalid, "InvalidRange", "The requested range is not satisfiable")
	}
	return slice{from, to - from + 1, false}, nil
}
