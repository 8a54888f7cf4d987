package s3

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"neargate/internal/model"
)

type tag struct{ Key, Value string }

// tagging is S3's document of tags.
type tagging struct {
	XMLName xml.Name `xml:"Tagging"`
	NS      string   `xml:"xmlns,attr"`
	Tags    []tag    `xml:"TagSet>Tag"`
}

// maxTags is how many tags an object may have.
const maxTags = 10

// readTagging reads tags as the header x-amz-tagging has them: as a query.
// InvalidArgument, InvalidTag.
func readTagging(header string) (map[string]string, error) {
	values, err := url.ParseQuery(header)
	if err != nil {
		return nil, badArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	tags := map[string]string{}
	for key, all := range values {
		tags[key] = all[0]
	}
	return tags, checkTags(tags)
}

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return model.Errorf(model.Invalid, "BadRequest", "Object tags cannot be greater than %d", maxTags)
	}
	for key, value := range tags {
		if key == "" || len(key) > 128 || len(value) > 256 {
			return model.Errorf(model.Invalid, "InvalidTag", "The TagKey you have provided is invalid")
		}
	}
	return nil
}

// getObjectTagging: codes NoSuchBucket, NoSuchKey.
func (s *service) getObjectTagging(r *request) error {
	o, err := s.objects.Object(r.bucket, r.key)
	if err != nil {
		return err
	}
	out := tagging{NS: namespace}
	for key, value := range o.Tags {
		out.Tags = append(out.Tags, tag{key, value})
	}
	slices.SortFunc(out.Tags, func(a, b tag) int { return cmp.Compare(a.Key, b.Key) })
	writeXML(r.w, http.StatusOK, out)
	return nil
}

// putObjectTagging: codes NoSuchBucket, NoSuchKey, MalformedXML, InvalidTag.
func (s *service) putObjectTagging(r *request) error {
	body, err := r.body()
	if err != nil {
		return err
	}
	var in tagging
	if xml.Unmarshal(body, &in) != nil {
		return malformed()
	}
	tags := map[string]string{}
	for _, t := range in.Tags {
		tags[t.Key] = t.Value
	}
	if err := checkTags(tags); err != nil {
		return err
	}
	return s.objects.Tag(r.Context(), r.bucket, r.key, tags)
}

// deleteObjectTagging: codes NoSuchBucket, NoSuchKey.
func (s *service) deleteObjectTagging(r *request) error {
	if err := s.objects.Tag(r.Context(), r.bucket, r.key, nil); err != nil {
		return err
	}
	r.w.WriteHeader(http.StatusNoContent)
	return nil
}

// getACL: codes NoSuchBucket, NoSuchKey. The owner may do everything.
func (s *service) getACL(r *request) error {
	if _, err := s.objects.Object(r.bucket, r.key); err != nil {
		return err
	}
	r.w.Header().Set("Content-Type", "application/xml")
	_, _ = r.w.Write([]byte(strings.ReplaceAll(aclDocument, "OWNER", s.cfg.Place.Account))) // an error means that the client has gone
	return nil
}
