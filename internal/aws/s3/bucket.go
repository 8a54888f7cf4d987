package s3

import (
	"encoding/xml"
	"net/http"

	"neargate/internal/model"
)

// namespace is that of S3's documents.
const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

type owner struct {
	ID          string
	DisplayName string `xml:",omitempty"`
}

func (s *service) owner() owner { return owner{ID: s.cfg.Place.Account} }

func (s *service) listBuckets(r *request) error {
	type bucket struct{ Name, CreationDate, BucketRegion string }
	out := struct {
		XMLName xml.Name `xml:"ListAllMyBucketsResult"`
		NS      string   `xml:"xmlns,attr"`
		Owner   owner
		Buckets []bucket `xml:"Buckets>Bucket"`
	}{NS: namespace, Owner: s.owner()}
	for _, b := range s.objects.Buckets() {
		out.Buckets = append(out.Buckets, bucket{b.Name, stamp(b.CreatedAt), s.cfg.Place.Region})
	}
	writeXML(r.w, http.StatusOK, out)
	return nil
}

// usEast1 is the region in which making a bucket again is no error.
const usEast1 = "us-east-1"

// createBucket: codes InvalidBucketName, BucketAlreadyOwnedByYou,
// IllegalLocationConstraintException, MalformedXML.
func (s *service) createBucket(r *request) error {
	body, err := r.body()
	if err != nil {
		return err
	}
	var in struct{ LocationConstraint string }
	if len(body) > 0 && xml.Unmarshal(body, &in) != nil {
		return malformed()
	}
	if in.LocationConstraint != "" && in.LocationConstraint != s.cfg.Place.Region {
		return model.Errorf(model.Invalid, "IllegalLocationConstraintException",
			"The %s location constraint is incompatible for the region specific endpoint this request was sent to.", in.LocationConstraint)
	}
	err = s.objects.CreateBucket(r.Context(), r.bucket)
	if model.KindOf(err) == model.Conflict && s.cfg.Place.Region == usEast1 {
		err = nil
	}
	if err != nil {
		return err
	}
	r.w.Header().Set("Location", "/"+r.bucket)
	return nil
}

// headBucket: code NoSuchBucket, which a HEAD answers by its status alone.
func (s *service) headBucket(r *request) error {
	if _, err := s.objects.Bucket(r.bucket); err != nil {
		return err
	}
	r.w.Header().Set("X-Amz-Bucket-Region", s.cfg.Place.Region)
	return nil
}

// deleteBucket: codes NoSuchBucket, BucketNotEmpty.
func (s *service) deleteBucket(r *request) error {
	if err := s.objects.DeleteBucket(r.Context(), r.bucket); err != nil {
		return err
	}
	r.w.WriteHeader(http.StatusNoContent)
	return nil
}

// getBucketLocation: code NoSuchBucket. us-east-1 is the empty location.
func (s *service) getBucketLocation(r *request) error {
	if _, err := s.objects.Bucket(r.bucket); err != nil {
		return err
	}
	out := struct {
		XMLName xml.Name `xml:"LocationConstraint"`
		NS      string   `xml:"xmlns,attr"`
		Region  string   `xml:",chardata"`
	}{NS: namespace, Region: s.cfg.Place.Region}
	if out.Region == usEast1 {
		out.Region = ""
	}
	writeXML(r.w, http.StatusOK, out)
	return nil
}
