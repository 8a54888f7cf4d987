package s3

import (
	"encoding/xml"
	"net/http"
)

// deleteObject: code NoSuchBucket.
func (s *service) deleteObject(r *request) error {
	if err := s.objects.Delete(r.Context(), r.bucket, r.key); err != nil {
		return err
	}
	r.w.WriteHeader(http.StatusNoContent)
	return nil
}

// deleteObjects: codes NoSuchBucket, MalformedXML, BadDigest.
func (s *service) deleteObjects(r *request) error {
	checked, err := r.checked()
	if err != nil {
		return err
	}
	r.payload.Body = checked
	body, err := r.body()
	if err != nil {
		return err
	}
	if _, err := checked.verify(); err != nil {
		return err
	}
	var in struct {
		Quiet  bool
		Object []struct{ Key string }
	}
	if xml.Unmarshal(body, &in) != nil || len(in.Object) == 0 || len(in.Object) > 1000 {
		return malformed()
	}
	var keys []string
	for _, o := range in.Object {
		keys = append(keys, o.Key)
	}
	if err := s.objects.Delete(r.Context(), r.bucket, keys...); err != nil {
		return err
	}
	type deleted struct{ Key string }
	out := struct {
		XMLName xml.Name `xml:"DeleteResult"`
		NS      string   `xml:"xmlns,attr"`
		Deleted []deleted
	}{NS: namespace}
	for _, key := range keys {
		if !in.Quiet {
			out.Deleted = append(out.Deleted, deleted{key})
		}
	}
	writeXML(r.w, http.StatusOK, out)
	return nil
}
