package s3

import (
	"net/http"
	"net/url"
	"strings"

	"neargate/internal/model"
	"neargate/internal/objects"
)

// maxObject is the largest content of one call: 5 GiB.
const maxObject = 5 << 30

// putObject: codes NoSuchBucket, EntityTooLarge, BadDigest, InvalidDigest,
// PreconditionFailed, KeyTooLongError, and those of the body's signature.
func (s *service) putObject(r *request) error {
	object, err := r.object()
	if err != nil {
		return err
	}
	checked, err := r.checked()
	if err != nil {
		return err
	}
	put, err := s.objects.Put(r.Context(), object, checked, r.mayReplace, checked.verify)
	if err != nil {
		return readError(err)
	}
	checked.sum.answer(r.w.Header(), put.Checksum)
	r.w.Header().Set("ETag", quoted(put.ETag))
	r.w.Header().Set("X-Amz-Server-Side-Encryption", "AES256")
	return nil
}

// maxKey is the length of the longest key, in bytes.
const maxKey = 1024

// object reads what a request says of an object beside its content.
func (r *request) object() (objects.Object, error) {
	o := objects.Object{Bucket: r.bucket, Key: r.key, Headers: r.kept()}
	if len(r.key) > maxKey {
		return o, model.Errorf(model.Invalid, "KeyTooLongError", "Your key is too long")
	}
	if r.ContentLength > maxObject {
		return o, model.Errorf(model.Invalid, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")
	}
	var err error
	o.Tags, err = readTagging(r.Header.Get("X-Amz-Tagging"))
	return o, err
}

// kept returns the headers that are answered with the object.
func (r *request) kept() map[string]string {
	all := map[string]string{}
	for name, values := range r.Header {
		switch {
		case strings.HasPrefix(name, "X-Amz-Meta-"), name == "Cache-Control", name == "Content-Disposition",
			name == "Content-Language", name == "Content-Type", name == "Expires", name == "X-Amz-Website-Redirect-Location":
			all[name] = strings.Join(values, ",")
		case name == "Content-Encoding":
			if enc := withoutChunked(strings.Join(values, ",")); enc != "" {
				all[name] = enc
			}
		}
	}
	if all["Content-Type"] == "" {
		all["Content-Type"] = "binary/octet-stream"
	}
	return all
}

// withoutChunked takes out what is only about how the body was sent.
func withoutChunked(encoding string) string {
	var left []string
	for part := range strings.SplitSeq(encoding, ",") {
		if part = strings.TrimSpace(part); part != "" && part != "aws-chunked" {
			left = append(left, part)
		}
	}
	return strings.Join(left, ",")
}

// mayReplace holds If-None-Match: * and If-Match against what is there.
func (r *request) mayReplace(cur objects.Object, exists bool) error {
	none, match := r.Header.Get("If-None-Match"), r.Header.Get("If-Match")
	if none == "*" && exists || match != "" && (!exists || strings.Trim(match, `"`) != cur.ETag) {
		return errPrecondition()
	}
	return nil
}

func errPrecondition() error {
	return model.Errorf(model.Conflict, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}

// copySource reads the object that a copy is made of.
func (s *service) copySource(r *request) (objects.Object, error) {
	source, _, _ := strings.Cut(r.Header.Get("X-Amz-Copy-Source"), "?versionId=")
	source, err := url.PathUnescape(source)
	bucket, key, ok := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	if err != nil || !ok || key == "" {
		return objects.Object{}, badArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	from, err := s.objects.Object(bucket, key)
	if err != nil {
		return from, err
	}
	match, none := r.Header.Get("X-Amz-Copy-Source-If-Match"), r.Header.Get("X-Amz-Copy-Source-If-None-Match")
	if match != "" && strings.Trim(match, `"`) != from.ETag || none != "" && strings.Trim(none, `"`) == from.ETag {
		return from, errPrecondition()
	}
	return from, nil
}

type copyResult struct {
	ETag, LastModified string
}

// copyObject: codes NoSuchBucket, NoSuchKey, InvalidArgument, InvalidRequest,
// PreconditionFailed.
func (s *service) copyObject(r *request) error {
	from, err := s.copySource(r)
	if err != nil {
		return err
	}
	to, err := r.object()
	if err != nil {
		return err
	}
	replaces := r.Header.Get("X-Amz-Metadata-Directive") == "REPLACE"
	if from.Bucket == to.Bucket && from.Key == to.Key && !replaces {
		return model.Errorf(model.Invalid, "InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	if !replaces {
		to.Headers = from.Headers
	}
	if r.Header.Get("X-Amz-Tagging-Directive") != "REPLACE" {
		to.Tags = from.Tags
	}
	copied, err := s.objects.Copy(r.Context(), from, to)
	if err != nil {
		return err
	}
	writeXML(r.w, http.StatusOK, struct {
		XMLName struct{} `xml:"CopyObjectResult"`
		NS      string   `xml:"xmlns,attr"`
		copyResult
	}{NS: namespace, copyResult: copyResult{quoted(copied.ETag), stamp(copied.ModifiedAt)}})
	return nil
}
