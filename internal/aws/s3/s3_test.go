package s3_test

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	face "neargate/internal/aws/s3"
	"neargate/internal/aws/sigv4"
	"neargate/internal/model"
	"neargate/internal/objects"
	"neargate/internal/store"
	"neargate/internal/store/sealed"
)

// one is the only key.
type one struct{}

func (one) Key(accessKey string) (sigv4.Key, bool) {
	return sigv4.Key{Secret: "secret"}, accessKey == "test"
}

// rig is the face over fresh buckets, with real signatures.
type rig struct {
	t   *testing.T
	url string
	dir string
	*sdk.Client
}

func newRig(t *testing.T) *rig {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	key, err := sealed.OpenKey(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	o, err := objects.Open(db, filepath.Join(dir, "objects"), key)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(face.New(o, sigv4.New(one{}, sigv4.Config{Region: "us-east-1"}), face.Config{
		Place: model.Place{Region: "us-east-1", Account: "000000000000"}, Names: []string{"localhost"}, Log: slog.New(slog.DiscardHandler),
	}))
	t.Cleanup(srv.Close)
	r := &rig{t: t, url: srv.URL, dir: filepath.Join(dir, "objects")}
	r.Client = r.client("test", "secret")
	return r
}

func (r *rig) client(access, secret string, change ...func(*sdk.Options)) *sdk.Client {
	o := sdk.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(r.url), UsePathStyle: true, RetryMaxAttempts: 1,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported, ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		Credentials: credentials.NewStaticCredentialsProvider(access, secret, ""),
	}
	return sdk.New(o, change...)
}

func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func (r *rig) bucket(name string) {
	r.t.Helper()
	if _, err := r.CreateBucket(r.t.Context(), &sdk.CreateBucketInput{Bucket: &name}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) put(key, content string) {
	r.t.Helper()
	if _, err := r.PutObject(r.t.Context(), &sdk.PutObjectInput{Bucket: aws.String("b-1"), Key: &key, Body: strings.NewReader(content)}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) get(in *sdk.GetObjectInput) string {
	r.t.Helper()
	in.Bucket = aws.String("b-1")
	out, err := r.GetObject(r.t.Context(), in)
	if err != nil {
		return code(err)
	}
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// files counts the blobs on disk.
func (r *rig) files() int {
	r.t.Helper()
	all, err := os.ReadDir(r.dir)
	if err != nil && !os.IsNotExist(err) {
		r.t.Fatal(err)
	}
	return len(all)
}

func TestBuckets(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	for name, want := range map[string]string{"b-1": "", "B": "InvalidBucketName", "a_b": "InvalidBucketName", "127.0.0.1": "InvalidBucketName"} {
		// The SDK checks less than S3 does.
		if _, err := r.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: &name}); code(err) != want {
			t.Errorf("create %s: got %v", name, err)
		}
	}
	r.bucket("b-1") // again, which us-east-1 allows
	if l, err := r.ListBuckets(ctx, nil); err != nil || len(l.Buckets) != 1 || *l.Buckets[0].Name != "b-1" || l.Buckets[0].CreationDate.IsZero() {
		t.Errorf("listed: %+v, %v", l, err)
	}
	if h, err := r.HeadBucket(ctx, &sdk.HeadBucketInput{Bucket: aws.String("b-1")}); err != nil || aws.ToString(h.BucketRegion) != "us-east-1" {
		t.Errorf("head: %+v, %v", h, err)
	}
	if _, err := r.HeadBucket(ctx, &sdk.HeadBucketInput{Bucket: aws.String("none")}); code(err) != "NotFound" {
		t.Errorf("head of none: %v", err)
	}
	r.put("k", "x")
	for _, want := range []string{"BucketNotEmpty", "", "NoSuchBucket"} {
		if _, err := r.DeleteBucket(ctx, &sdk.DeleteBucketInput{Bucket: aws.String("b-1")}); code(err) != want {
			t.Errorf("delete: got %v, want %q", err, want)
		}
		_, _ = r.DeleteObject(ctx, &sdk.DeleteObjectInput{Bucket: aws.String("b-1"), Key: aws.String("k")})
	}
}

func TestObjects(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	r.bucket("b-1")
	key := "dir/a b+c%20ä/../x//y" // as it is: no path is cleaned
	put, err := r.PutObject(ctx, &sdk.PutObjectInput{
		Bucket: aws.String("b-1"), Key: &key, Body: strings.NewReader("hello world"), ContentType: aws.String("text/plain"),
		Metadata: map[string]string{"who": "me"}, Tagging: aws.String("a=1&b=2"),
	})
	if err != nil || *put.ETag != `"5eb63bbbe01eeed093cb22bb8f5acdc3"` {
		t.Fatalf("put: %+v, %v", put, err)
	}
	head, err := r.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: aws.String("b-1"), Key: &key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil || *head.ContentLength != 11 || *head.ContentType != "text/plain" || head.Metadata["who"] != "me" || head.ChecksumCRC32 == nil {
		t.Errorf("head: %+v, %v", head, err)
	}
	for _, row := range []struct {
		name string
		in   sdk.GetObjectInput
		want string
	}{
		{"whole", sdk.GetObjectInput{}, "hello world"},
		{"from the middle", sdk.GetObjectInput{Range: aws.String("bytes=6-")}, "world"},
		{"a part", sdk.GetObjectInput{Range: aws.String("bytes=1-3")}, "ell"},
		{"the end", sdk.GetObjectInput{Range: aws.String("bytes=-5")}, "world"},
		{"more than there is", sdk.GetObjectInput{Range: aws.String("bytes=6-100")}, "world"},
		{"beyond the end", sdk.GetObjectInput{Range: aws.String("bytes=11-")}, "InvalidRange"},
		{"no range", sdk.GetObjectInput{Range: aws.String("lines=1-2")}, "hello world"},
		{"if it is another", sdk.GetObjectInput{IfNoneMatch: put.ETag}, "NotModified"},
		{"if it is this", sdk.GetObjectInput{IfMatch: aws.String(`"x"`)}, "PreconditionFailed"},
	} {
		row.in.Key = &key
		if got := r.get(&row.in); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
	if got := r.get(&sdk.GetObjectInput{Key: aws.String("none")}); got != "NoSuchKey" {
		t.Errorf("no such key: %q", got)
	}
	if _, err := r.PutObject(ctx, &sdk.PutObjectInput{Bucket: aws.String("b-1"), Key: &key, Body: strings.NewReader("x"), IfNoneMatch: aws.String("*")}); code(err) != "PreconditionFailed" {
		t.Errorf("put where there is one: %v", err)
	}
	if _, err := r.CopyObject(ctx, &sdk.CopyObjectInput{Bucket: aws.String("b-1"), Key: aws.String("copy"), CopySource: aws.String("b-1/dir/a%20b%2Bc%2520%C3%A4/../x//y")}); err != nil {
		t.Errorf("copy: %v", err)
	}
	if tags, err := r.GetObjectTagging(ctx, &sdk.GetObjectTaggingInput{Bucket: aws.String("b-1"), Key: aws.String("copy")}); err != nil || len(tags.TagSet) != 2 {
		t.Errorf("tags of the copy: %+v, %v", tags, err)
	}
	r.put(key, "another") // and the copy stays
	if got := r.get(&sdk.GetObjectInput{Key: aws.String("copy")}); got != "hello world" {
		t.Errorf("the copy is %q", got)
	}
	if r.files() != 2 {
		t.Errorf("%d files for 2 objects", r.files())
	}
	deleted, err := r.DeleteObjects(ctx, &sdk.DeleteObjectsInput{Bucket: aws.String("b-1"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: &key}, {Key: aws.String("copy")}, {Key: aws.String("none")}}}})
	if err != nil || len(deleted.Deleted) != 3 || r.files() != 0 {
		t.Errorf("deleted %+v, %v; %d files", deleted, err, r.files())
	}
}

func TestListObjects(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	r.bucket("b-1")
	for _, key := range []string{"a", "dir/1", "dir/2", "dir/sub/3", "dirt", "z z"} {
		r.put(key, "x")
	}
	list := func(in sdk.ListObjectsV2Input) string {
		t.Helper()
		in.Bucket, in.MaxKeys = aws.String("b-1"), aws.Int32(2)
		var all []string
		for pages := sdk.NewListObjectsV2Paginator(r.Client, &in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return code(err)
			}
			if n := len(page.Contents) + len(page.CommonPrefixes); n > 2 || n != int(*page.KeyCount) {
				t.Errorf("a page of %d, said to be %d", n, *page.KeyCount)
			}
			for _, o := range page.Contents {
				all = append(all, *o.Key)
			}
			for _, p := range page.CommonPrefixes {
				all = append(all, "<"+*p.Prefix+">")
			}
		}
		return strings.Join(all, " ")
	}
	for _, row := range []struct {
		name string
		in   sdk.ListObjectsV2Input
		want string
	}{
		{"all", sdk.ListObjectsV2Input{}, "a dir/1 dir/2 dir/sub/3 dirt z z"},
		{"as a directory", sdk.ListObjectsV2Input{Delimiter: aws.String("/")}, "a <dir/> dirt z z"},
		{"a directory below", sdk.ListObjectsV2Input{Prefix: aws.String("dir/"), Delimiter: aws.String("/")}, "dir/1 dir/2 <dir/sub/>"},
		{"a prefix", sdk.ListObjectsV2Input{Prefix: aws.String("dir")}, "dir/1 dir/2 dir/sub/3 dirt"},
		{"after a key", sdk.ListObjectsV2Input{StartAfter: aws.String("dir/2")}, "dir/sub/3 dirt z z"},
		{"encoded", sdk.ListObjectsV2Input{Prefix: aws.String("z"), EncodingType: types.EncodingTypeUrl}, "z%20z"},
		{"nothing", sdk.ListObjectsV2Input{Prefix: aws.String("none")}, ""},
	} {
		if got := list(row.in); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
	first, err := r.ListObjects(ctx, &sdk.ListObjectsInput{Bucket: aws.String("b-1"), MaxKeys: aws.Int32(4), Delimiter: aws.String("/")})
	if err != nil || len(first.Contents) != 3 || len(first.CommonPrefixes) != 1 || *first.IsTruncated {
		t.Errorf("version 1: %+v, %v", first, err)
	}
	versions, err := r.ListObjectVersions(ctx, &sdk.ListObjectVersionsInput{Bucket: aws.String("b-1")})
	if err != nil || len(versions.Versions) != 6 || *versions.Versions[0].VersionId != "null" {
		t.Errorf("versions: %+v, %v", versions, err)
	}
}

func TestMultipart(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	r.bucket("b-1")
	key := aws.String("big")
	begin := func() *string {
		t.Helper()
		u, err := r.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{Bucket: aws.String("b-1"), Key: key, ContentType: aws.String("x/y")})
		if err != nil {
			t.Fatal(err)
		}
		return u.UploadId
	}
	part := func(id *string, n int32, content []byte) types.CompletedPart {
		t.Helper()
		p, err := r.UploadPart(ctx, &sdk.UploadPartInput{Bucket: aws.String("b-1"), Key: key, UploadId: id, PartNumber: &n, Body: bytes.NewReader(content)})
		if err != nil {
			t.Fatal(err)
		}
		return types.CompletedPart{PartNumber: &n, ETag: p.ETag}
	}
	end := func(id *string, parts ...types.CompletedPart) string {
		_, err := r.CompleteMultipartUpload(ctx, &sdk.CompleteMultipartUploadInput{Bucket: aws.String("b-1"), Key: key, UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
		return code(err)
	}
	big := make([]byte, 5<<20)
	_, _ = rand.Read(big)
	id := begin()
	first, again, last := part(id, 1, []byte("to be replaced")), part(id, 1, big), part(id, 7, []byte("the end"))
	unused := part(id, 3, []byte("unused"))
	for _, row := range []struct {
		name  string
		parts []types.CompletedPart
		want  string
	}{
		{"a part that was replaced", []types.CompletedPart{first, last}, "InvalidPart"},
		{"the wrong way round", []types.CompletedPart{last, again}, "InvalidPartOrder"},
		{"a small part in the middle", []types.CompletedPart{again, unused, last}, "EntityTooSmall"},
		{"well", []types.CompletedPart{again, last}, ""},
		{"again", []types.CompletedPart{again, last}, "NoSuchUpload"},
	} {
		if got := end(id, row.parts...); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
	if got := r.get(&sdk.GetObjectInput{Key: key}); got != string(big)+"the end" {
		t.Errorf("got %d bytes", len(got))
	}
	if got := r.get(&sdk.GetObjectInput{Key: key, Range: aws.String(fmt.Sprintf("bytes=%d-", len(big)-2))}); got != string(big[len(big)-2:])+"the end" {
		t.Errorf("over the joint: %q", got)
	}
	if h, err := r.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: aws.String("b-1"), Key: key}); err != nil || !strings.HasSuffix(*h.ETag, `-2"`) || *h.ContentType != "x/y" {
		t.Errorf("head: %+v, %v", h, err)
	}
	dropped := begin()
	for span, want := range map[string]string{
		"bytes=0-4": "", "bytes=-5-10": "InvalidArgument", "bytes=-9223372036854775808-0": "InvalidArgument", "bytes=4-0": "InvalidArgument",
		"bytes=0-4x": "InvalidArgument", "0-4": "InvalidArgument", "bytes=0-9999999999": "InvalidArgument",
	} {
		_, err := r.UploadPartCopy(ctx, &sdk.UploadPartCopyInput{
			Bucket: aws.String("b-1"), Key: key, UploadId: dropped, PartNumber: aws.Int32(1), CopySource: aws.String("b-1/big"), CopySourceRange: &span,
		})
		if got := code(err); got != want {
			t.Errorf("copy of %s: got %q, want %q", span, got, want)
		}
	}
	part(dropped, 1, big)
	if l, err := r.ListParts(ctx, &sdk.ListPartsInput{Bucket: aws.String("b-1"), Key: key, UploadId: dropped}); err != nil || len(l.Parts) != 1 || *l.Parts[0].Size != 5<<20 {
		t.Errorf("parts: %+v, %v", l, err)
	}
	if _, err := r.AbortMultipartUpload(ctx, &sdk.AbortMultipartUploadInput{Bucket: aws.String("b-1"), Key: key, UploadId: dropped}); err != nil {
		t.Error(err)
	}
	if r.files() != 2 {
		t.Errorf("%d files for an object of two parts", r.files())
	}
}

// What a body is not, it does not become: the object is as it was, and nothing
// is left on disk.
func TestSpoiltBodies(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	r.bucket("b-1")
	r.put("k", "good")
	unsigned := sdk.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
	if _, err := r.client("test", "secret", unsigned).PutObject(ctx, &sdk.PutObjectInput{Bucket: aws.String("b-1"), Key: aws.String("unsigned"), Body: strings.NewReader("x")}); err != nil {
		t.Errorf("an unsigned payload: %v", err)
	}
	for name, row := range map[string]struct {
		client *sdk.Client
		in     sdk.PutObjectInput
		want   string
	}{
		"another checksum": {r.Client, sdk.PutObjectInput{ChecksumCRC32: aws.String("AAAAAA==")}, "BadDigest"},
		"another MD5":      {r.Client, sdk.PutObjectInput{ContentMD5: aws.String("1B2M2Y8AsgTpgAmY7PhCfg==")}, "BadDigest"},
		"half an MD5":      {r.Client, sdk.PutObjectInput{ContentMD5: aws.String("1B2M")}, "InvalidDigest"},
		"another secret":   {r.client("test", "wrong"), sdk.PutObjectInput{}, "SignatureDoesNotMatch"},
		"an unknown key":   {r.client("who", "secret"), sdk.PutObjectInput{}, "InvalidAccessKeyId"},
		"another region":   {r.client("test", "secret", func(o *sdk.Options) { o.Region = "eu-west-1" }), sdk.PutObjectInput{}, "SignatureDoesNotMatch"},
		"a long key":       {r.Client, sdk.PutObjectInput{Key: aws.String(strings.Repeat("k", 1025))}, "KeyTooLongError"},
		"a lock":           {r.Client, sdk.PutObjectInput{ObjectLockMode: types.ObjectLockModeGovernance}, "NotImplemented"},
	} {
		row.in.Bucket, row.in.Body = aws.String("b-1"), strings.NewReader("bad")
		if row.in.Key == nil {
			row.in.Key = aws.String("k")
		}
		if _, err := row.client.PutObject(ctx, &row.in); code(err) != row.want {
			t.Errorf("%s: got %v, want %s", name, err, row.want)
		}
	}
	if got := r.get(&sdk.GetObjectInput{Key: aws.String("k")}); got != "good" || r.files() != 2 {
		t.Errorf("the object is %q; %d files", got, r.files())
	}
}

// A bucket's settings are kept and answered; what is not there is said in S3's
// words, and no unknown parameter makes another call of a request.
func TestSettings(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	r.bucket("b-1")
	bucket := aws.String("b-1")
	if _, err := r.GetBucketPolicy(ctx, &sdk.GetBucketPolicyInput{Bucket: bucket}); code(err) != "NoSuchBucketPolicy" {
		t.Errorf("no policy: %v", err)
	}
	const policy = `{"Statement":[]}`
	if _, err := r.PutBucketPolicy(ctx, &sdk.PutBucketPolicyInput{Bucket: bucket, Policy: aws.String(policy)}); err != nil {
		t.Error(err)
	}
	if p, err := r.GetBucketPolicy(ctx, &sdk.GetBucketPolicyInput{Bucket: bucket}); err != nil || *p.Policy != policy {
		t.Errorf("policy: %+v, %v", p, err)
	}
	block := &types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true)}
	if _, err := r.PutPublicAccessBlock(ctx, &sdk.PutPublicAccessBlockInput{Bucket: bucket, PublicAccessBlockConfiguration: block}); err != nil {
		t.Error(err)
	}
	if p, err := r.GetPublicAccessBlock(ctx, &sdk.GetPublicAccessBlockInput{Bucket: bucket}); err != nil || !*p.PublicAccessBlockConfiguration.BlockPublicAcls {
		t.Errorf("public access block: %+v, %v", p, err)
	}
	if v, err := r.GetBucketVersioning(ctx, &sdk.GetBucketVersioningInput{Bucket: bucket}); err != nil || v.Status != "" {
		t.Errorf("versioning: %+v, %v", v, err)
	}
	if _, err := r.PutBucketVersioning(ctx, &sdk.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}); err != nil {
		t.Errorf("versioning on: %v", err)
	}
	if v, err := r.GetBucketVersioning(ctx, &sdk.GetBucketVersioningInput{Bucket: bucket}); err != nil || v.Status != types.BucketVersioningStatusEnabled {
		t.Errorf("versioning when it is on: %+v, %v", v, err)
	}
	r.keepsLifecycle(bucket)
	r.losesOwnership(bucket)
	if a, err := r.GetBucketAcl(ctx, &sdk.GetBucketAclInput{Bucket: bucket}); err != nil || len(a.Grants) != 1 || *a.Owner.ID != "000000000000" {
		t.Errorf("ACL: %+v, %v", a, err)
	}
	if _, err := r.GetBucketTagging(ctx, &sdk.GetBucketTaggingInput{Bucket: bucket}); code(err) != "NoSuchTagSet" {
		t.Errorf("tags: %v", err)
	}
	if _, err := r.PutBucketInventoryConfiguration(ctx, &sdk.PutBucketInventoryConfigurationInput{Bucket: aws.String("other"), Id: aws.String("x"), InventoryConfiguration: &types.InventoryConfiguration{
		Id: aws.String("x"), IsEnabled: aws.Bool(true), IncludedObjectVersions: types.InventoryIncludedObjectVersionsAll, Schedule: &types.InventorySchedule{Frequency: types.InventoryFrequencyDaily},
		Destination: &types.InventoryDestination{S3BucketDestination: &types.InventoryS3BucketDestination{Bucket: aws.String("x"), Format: types.InventoryFormatCsv}},
	}}); code(err) != "NotImplemented" {
		t.Errorf("what is not there: %v", err)
	}
	if l, err := r.ListBuckets(ctx, nil); err != nil || len(l.Buckets) != 1 {
		t.Errorf("a refused call made a bucket: %+v, %v", l, err)
	}
}

// A presigned URL is a key of its own, and only for what it names; a bucket can
// be the host.
func TestPresignedAndHosts(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	r.bucket("b-1")
	r.put("k", "content")
	signed, err := sdk.NewPresignClient(r.Client).PresignGetObject(ctx, &sdk.GetObjectInput{Bucket: aws.String("b-1"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]int{signed.URL: http.StatusOK, strings.Replace(signed.URL, "/k?", "/other?", 1): http.StatusForbidden, r.url + "/b-1/k": http.StatusForbidden} {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: got %s", url, resp.Status)
		}
	}
	hosted := r.client("test", "secret", func(o *sdk.Options) {
		o.UsePathStyle, o.BaseEndpoint = false, aws.String(strings.Replace(r.url, "127.0.0.1", "localhost", 1))
		o.HTTPClient = toLoopback{strings.TrimPrefix(r.url, "http://")}
	})
	out, err := hosted.GetObject(ctx, &sdk.GetObjectInput{Bucket: aws.String("b-1"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	if b, err := io.ReadAll(out.Body); err != nil || string(b) != "content" {
		t.Errorf("got %q, %v", b, err)
	}
}

// toLoopback sends requests of any host to the server, as resolvers that know
// *.localhost do.
type toLoopback struct{ address string }

func (to toLoopback) Do(r *http.Request) (*http.Response, error) {
	r.Host, r.URL.Host = r.URL.Host, to.address
	return http.DefaultClient.Do(r)
}

// keepsLifecycle expects what clients compare after a put: the rules and, in a
// header, the size from which objects change their storage class.
func (r *rig) keepsLifecycle(bucket *string) {
	r.t.Helper()
	const varies, usual = types.TransitionDefaultMinimumObjectSizeVariesByStorageClass, types.TransitionDefaultMinimumObjectSizeAllStorageClasses128k
	for _, size := range []types.TransitionDefaultMinimumObjectSize{varies, ""} {
		put, err := r.PutBucketLifecycleConfiguration(r.t.Context(), &sdk.PutBucketLifecycleConfigurationInput{
			Bucket: bucket, TransitionDefaultMinimumObjectSize: size,
			LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{{ID: aws.String("old"), Status: types.ExpirationStatusEnabled, Expiration: &types.LifecycleExpiration{Days: aws.Int32(7)}}}},
		})
		if err != nil {
			r.t.Fatal(err)
		}
		got, err := r.GetBucketLifecycleConfiguration(r.t.Context(), &sdk.GetBucketLifecycleConfigurationInput{Bucket: bucket})
		if want := cmp.Or(size, usual); err != nil || got.TransitionDefaultMinimumObjectSize != want || put.TransitionDefaultMinimumObjectSize != want || len(got.Rules) != 1 {
			r.t.Errorf("lifecycle with %q: put answers %q; %+v, %v", size, put.TransitionDefaultMinimumObjectSize, got, err)
		}
	}
}

// losesOwnership expects a bucket to have ownership controls until they are
// deleted, which clients wait for.
func (r *rig) losesOwnership(bucket *string) {
	r.t.Helper()
	ctx := r.t.Context()
	if o, err := r.GetBucketOwnershipControls(ctx, &sdk.GetBucketOwnershipControlsInput{Bucket: bucket}); err != nil || o.OwnershipControls.Rules[0].ObjectOwnership != types.ObjectOwnershipBucketOwnerEnforced {
		r.t.Errorf("ownership of a fresh bucket: %+v, %v", o, err)
	}
	if _, err := r.DeleteBucketOwnershipControls(ctx, &sdk.DeleteBucketOwnershipControlsInput{Bucket: bucket}); err != nil {
		r.t.Error(err)
	}
	if _, err := r.GetBucketOwnershipControls(ctx, &sdk.GetBucketOwnershipControlsInput{Bucket: bucket}); code(err) != "OwnershipControlsNotFoundError" {
		r.t.Errorf("ownership that was deleted: %v", err)
	}
	controls := &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipObjectWriter}}}
	if _, err := r.PutBucketOwnershipControls(ctx, &sdk.PutBucketOwnershipControlsInput{Bucket: bucket, OwnershipControls: controls}); err != nil {
		r.t.Error(err)
	}
	if o, err := r.GetBucketOwnershipControls(ctx, &sdk.GetBucketOwnershipControlsInput{Bucket: bucket}); err != nil || o.OwnershipControls.Rules[0].ObjectOwnership != types.ObjectOwnershipObjectWriter {
		r.t.Errorf("ownership that was put: %+v, %v", o, err)
	}
}
