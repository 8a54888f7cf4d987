package s3

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"

	"neargate/internal/objects"
)

// createMultipartUpload: codes NoSuchBucket, KeyTooLongError.
func (s *service) createMultipartUpload(r *request) error {
	object, err := r.object()
	if err != nil {
		return err
	}
	u, err := s.objects.BeginUpload(r.Context(), object)
	if err != nil {
		return err
	}
	writeXML(r.w, http.StatusOK, struct {
		XMLName     xml.Name `xml:"InitiateMultipartUploadResult"`
		NS          string   `xml:"xmlns,attr"`
		Bucket, Key string
		UploadID    string `xml:"UploadId"`
	}{NS: namespace, Bucket: r.bucket, Key: r.key, UploadID: u.ID})
	return nil
}

// part returns the upload and the number of the part that a request is about.
func (s *service) part(r *request) (objects.Upload, int, error) {
	u, err := s.upload(r)
	if err != nil {
		return u, 0, err
	}
	n, err := strconv.Atoi(r.query("partNumber"))
	if err != nil || n < 1 || n > 10000 {
		return u, 0, badArgument("Part number must be an integer between 1 and 10000, inclusive")
	}
	return u, n, nil
}

func (s *service) upload(r *request) (objects.Upload, error) {
	return s.objects.Upload(r.bucket, r.key, r.query("uploadId"))
}

// uploadPart: codes NoSuchUpload, InvalidArgument, EntityTooLarge, BadDigest,
// InvalidDigest, and those of the body's signature.
func (s *service) uploadPart(r *request) error {
	u, n, err := s.part(r)
	if err != nil {
		return err
	}
	if _, err := r.object(); err != nil {
		return err
	}
	checked, err := r.checked()
	if err != nil {
		return err
	}
	part, err := s.objects.PutPart(r.Context(), u, n, checked, checked.verify)
	if err != nil {
		return readError(err)
	}
	checked.sum.answer(r.w.Header(), part.Checksum)
	r.w.Header().Set("ETag", quoted(part.ETag))
	return nil
}

// uploadPartCopy: codes NoSuchUpload, NoSuchBucket, NoSuchKey, InvalidArgument,
// PreconditionFailed.
func (s *service) uploadPartCopy(r *request) error {
	u, n, err := s.part(r)
	if err != nil {
		return err
	}
	from, err := s.copySource(r)
	if err != nil {
		return err
	}
	offset, length := int64(0), from.Size
	if span := r.Header.Get("X-Amz-Copy-Source-Range"); span != "" {
		first, end, _ := strings.Cut(strings.TrimPrefix(span, "bytes="), "-")
		begin, errFirst := strconv.ParseUint(first, 10, 63)
		last, errLast := strconv.ParseUint(end, 10, 63)
		if errFirst != nil || errLast != nil || !strings.HasPrefix(span, "bytes=") || last < begin || int64(last) >= from.Size {
			return badArgument("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
		}
		offset, length = int64(begin), int64(last-begin+1)
	}
	content, err := s.objects.Read(from, offset, length)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	part, err := s.objects.PutPart(r.Context(), u, n, content, nil)
	if err != nil {
		return err
	}
	writeXML(r.w, http.StatusOK, struct {
		XMLName struct{} `xml:"CopyPartResult"`
		NS      string   `xml:"xmlns,attr"`
		copyResult
	}{NS: namespace, copyResult: copyResult{quoted(part.ETag), stamp(part.ModifiedAt)}})
	return nil
}

// completeMultipartUpload: codes NoSuchUpload, MalformedXML, InvalidPart,
// InvalidPartOrder, EntityTooSmall.
func (s *service) completeMultipartUpload(r *request) error {
	u, err := s.upload(r)
	if err != nil {
		return err
	}
	body, err := r.body()
	if err != nil {
		return err
	}
	var in struct {
		Part []struct {
			PartNumber int
			ETag       string
		}
	}
	if xml.Unmarshal(body, &in) != nil || len(in.Part) == 0 {
		return malformed()
	}
	var parts []objects.Part
	for _, p := range in.Part {
		parts = append(parts, objects.Part{Number: p.PartNumber, ETag: strings.Trim(p.ETag, `"`)})
	}
	object, err := s.objects.EndUpload(r.Context(), u, parts, r.mayReplace)
	if err != nil {
		return err
	}
	writeXML(r.w, http.StatusOK, struct {
		XMLName               xml.Name `xml:"CompleteMultipartUploadResult"`
		NS                    string   `xml:"xmlns,attr"`
		Location, Bucket, Key string
		ETag                  string
	}{NS: namespace, Location: "http://" + r.Host + r.URL.EscapedPath(), Bucket: r.bucket, Key: r.key, ETag: quoted(object.ETag)})
	return nil
}

// abortMultipartUpload: code NoSuchUpload.
func (s *service) abortMultipartUpload(r *request) error {
	u, err := s.upload(r)
	if err != nil {
		return err
	}
	if err := s.objects.DropUpload(r.Context(), u); err != nil {
		return err
	}
	r.w.WriteHeader(http.StatusNoContent)
	return nil
}

type listedPart struct {
	PartNumber         int
	LastModified, ETag string
	Size               int64
}

// listParts: codes NoSuchUpload, InvalidArgument.
func (s *service) listParts(r *request) error {
	u, err := s.upload(r)
	if err != nil {
		return err
	}
	limit, err := r.number("max-parts", 1000)
	if err != nil {
		return err
	}
	after, _ := strconv.Atoi(r.query("part-number-marker")) // what is no number is none
	out := struct {
		XMLName              xml.Name `xml:"ListPartsResult"`
		NS                   string   `xml:"xmlns,attr"`
		Bucket, Key          string
		UploadID             string `xml:"UploadId"`
		PartNumberMarker     int
		NextPartNumberMarker int
		MaxParts             int
		IsTruncated          bool
		StorageClass         string
		Part                 []listedPart
	}{NS: namespace, Bucket: r.bucket, Key: r.key, UploadID: u.ID, PartNumberMarker: after, MaxParts: limit, StorageClass: standard}
	for _, p := range u.Sorted() {
		if p.Number <= after {
			continue
		}
		if out.IsTruncated = len(out.Part) >= limit; out.IsTruncated {
			break
		}
		out.Part = append(out.Part, listedPart{p.Number, stamp(p.ModifiedAt), quoted(p.ETag), p.Blob.Size})
		out.NextPartNumberMarker = p.Number
	}
	writeXML(r.w, http.StatusOK, out)
	return nil
}

type listedUpload struct {
	Key       string
	UploadID  string `xml:"UploadId"`
	Initiated string
}

// listMultipartUploads: code NoSuchBucket. The answer is whole.
func (s *service) listMultipartUploads(r *request) error {
	all, err := s.objects.Uploads(r.bucket)
	if err != nil {
		return err
	}
	out := struct {
		XMLName     xml.Name `xml:"ListMultipartUploadsResult"`
		NS          string   `xml:"xmlns,attr"`
		Bucket      string
		Prefix      string
		MaxUploads  int
		IsTruncated bool
		Upload      []listedUpload
	}{NS: namespace, Bucket: r.bucket, Prefix: r.query("prefix"), MaxUploads: max(1000, len(all))}
	for _, u := range all {
		if strings.HasPrefix(u.Object.Key, out.Prefix) {
			out.Upload = append(out.Upload, listedUpload{u.Object.Key, u.ID, stamp(u.CreatedAt)})
		}
	}
	writeXML(r.w, http.StatusOK, out)
	return nil
}
