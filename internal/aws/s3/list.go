package s3

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"neargate/internal/objects"
)

// stamp is a time as S3's documents have it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func quoted(etag string) string { return `"` + etag + `"` }

const (
	nullVersion = "null"     // of objects in a bucket without versions
	standard    = "STANDARD" // the storage class of all objects
)

type listedObject struct {
	Key, LastModified, ETag string
	ChecksumAlgorithm       string `xml:",omitempty"`
	Size                    int64
	StorageClass            string
	Owner                   *owner `xml:",omitempty"`
}

type prefix struct{ Prefix string }

// listing is the answer of both versions of ListObjects.
type listing struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	NS                    string   `xml:"xmlns,attr"`
	Name                  string
	Prefix                string
	Delimiter             string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	MaxKeys               int
	IsTruncated           bool
	Marker                *string // of version 1
	NextMarker            string  `xml:",omitempty"`
	KeyCount              *int    // of version 2, as all that follow
	StartAfter            string  `xml:",omitempty"`
	ContinuationToken     string  `xml:",omitempty"`
	NextContinuationToken string  `xml:",omitempty"`
	Contents              []listedObject
	CommonPrefixes        []prefix
}

// listObjects: codes NoSuchBucket, InvalidArgument. list-type=2 is version 2.
func (s *service) listObjects(r *request) error {
	limit, err := r.number("max-keys", 1000)
	if err != nil {
		return err
	}
	second := r.query("list-type") == "2"
	l := objects.Listing{Prefix: r.query("prefix"), Delimiter: r.query("delimiter"), After: r.query("marker"), Limit: limit}
	out := listing{
		NS: namespace, Name: r.bucket, MaxKeys: limit, EncodingType: r.query("encoding-type"),
		Prefix: r.encoded(l.Prefix), Delimiter: r.encoded(l.Delimiter),
	}
	if second {
		l.After = r.query("start-after")
		out.StartAfter, out.ContinuationToken = r.encoded(l.After), r.query("continuation-token")
		if token := out.ContinuationToken; token != "" {
			after, err := base64.RawURLEncoding.DecodeString(token)
			if err != nil {
				return badArgument("The continuation token provided is incorrect")
			}
			l.After = string(after)
		}
	}
	page, err := s.objects.List(r.bucket, l)
	if err != nil {
		return err
	}
	out.IsTruncated = page.Next != ""
	for _, o := range page.Objects {
		out.Contents = append(out.Contents, listedObject{
			Key: r.encoded(o.Key), LastModified: stamp(o.ModifiedAt), ETag: quoted(o.ETag), Size: o.Size, StorageClass: standard,
			ChecksumAlgorithm: o.Checksum.Algorithm,
		})
		if !second || r.query("fetch-owner") == "true" {
			out.Contents[len(out.Contents)-1].Owner = new(s.owner())
		}
	}
	for _, p := range page.Prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, prefix{r.encoded(p)})
	}
	if second {
		out.KeyCount = new(len(page.Objects) + len(page.Prefixes))
		out.NextContinuationToken = base64.RawURLEncoding.EncodeToString([]byte(page.Next))
	} else {
		out.Marker = new(r.encoded(l.After))
		out.NextMarker = r.encoded(page.Next)
	}
	writeXML(r.w, http.StatusOK, out)
	return nil
}

// version is an object in ListObjectVersions: each has one, "null".
type version struct {
	Key          string
	VersionID    string `xml:"VersionId"`
	IsLatest     bool
	LastModified string
	ETag         string
	Size         int64
	StorageClass string
}

// listObjectVersions: codes NoSuchBucket, InvalidArgument.
func (s *service) listObjectVersions(r *request) error {
	limit, err := r.number("max-keys", 1000)
	if err != nil {
		return err
	}
	l := objects.Listing{Prefix: r.query("prefix"), Delimiter: r.query("delimiter"), After: r.query("key-marker"), Limit: limit}
	page, err := s.objects.List(r.bucket, l)
	if err != nil {
		return err
	}
	out := struct {
		XMLName                            xml.Name `xml:"ListVersionsResult"`
		NS                                 string   `xml:"xmlns,attr"`
		Name, Prefix, Delimiter, KeyMarker string
		NextKeyMarker                      string `xml:",omitempty"`
		EncodingType                       string `xml:",omitempty"`
		MaxKeys                            int
		IsTruncated                        bool
		Version                            []version
		CommonPrefixes                     []prefix
	}{
		NS: namespace, Name: r.bucket, Prefix: r.encoded(l.Prefix), Delimiter: r.encoded(l.Delimiter), KeyMarker: r.encoded(l.After),
		NextKeyMarker: r.encoded(page.Next), EncodingType: r.query("encoding-type"), MaxKeys: limit, IsTruncated: page.Next != "",
	}
	for _, o := range page.Objects {
		out.Version = append(out.Version, version{r.encoded(o.Key), nullVersion, true, stamp(o.ModifiedAt), quoted(o.ETag), o.Size, standard})
	}
	for _, p := range page.Prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, prefix{r.encoded(p)})
	}
	writeXML(r.w, http.StatusOK, out)
	return nil
}

// encoded is a key as the caller wants it.
func (r *request) encoded(key string) string {
	if r.query("encoding-type") != "url" {
		return key
	}
	return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(key), "+", "%20"), "%2F", "/")
}

// number reads a number of the query that is at most what S3 allows.
func (r *request) number(name string, most int) (int, error) {
	text := r.query(name)
	if text == "" {
		return most, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, badArgument("Provided " + name + " not an integer or within integer range")
	}
	return min(n, most), nil
}
