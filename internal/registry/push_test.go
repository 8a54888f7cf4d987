package registry

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"cuelabs.dev/go/oci/ociregistry"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"neargate/internal/model"
)

func TestPushAndPullWithARealClient(t *testing.T) {
	f := newFixture(t)
	f.createRepository(t, "team/app", "")
	l := gzipped(t, entries(t, file("hello", "hi")))
	desc := f.pushImage(t, "team/app", "v1", []blob{l}, nil)

	for _, open := range []func() (ociregistry.BlobReader, error){
		func() (ociregistry.BlobReader, error) { return f.oci.GetTag(t.Context(), "team/app", "v1") },
		func() (ociregistry.BlobReader, error) {
			return f.oci.GetManifest(t.Context(), "team/app", desc.Digest)
		},
	} {
		r, err := open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil || digest.FromBytes(data) != desc.Digest || r.Descriptor().MediaType != ocispec.MediaTypeImageManifest {
			t.Errorf("manifest = %q, %v", data, err)
		}
		r.Close()
	}
	d := digest.FromBytes(l.data)
	r, err := f.oci.GetBlobRange(t.Context(), "team/app", d, 2, 5)
	if err != nil {
		t.Fatal(err)
	}
	part, err := io.ReadAll(r)
	r.Close()
	if err != nil || !bytes.Equal(part, l.data[2:5]) {
		t.Errorf("bytes 2 to 5 = %x, %v, want %x", part, err, l.data[2:5])
	}
	got, err := f.oci.ResolveBlob(t.Context(), "team/app", d)
	if err != nil || got.Size != int64(len(l.data)) {
		t.Errorf("ResolveBlob = %+v, %v", got, err)
	}

	f.reopen(t) // all of it is on disk
	img, err := f.Image("team/app", "v1")
	if err != nil || img.Digest != desc.Digest.String() || !cmp.Equal(img.Tags, []string{"v1"}) {
		t.Errorf("image after reopening = %+v, %v", img, err)
	}
	var tags []string
	for tag, err := range f.oci.Tags(t.Context(), "team/app", "") {
		if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, tag)
	}
	if diff := cmp.Diff([]string{"v1"}, tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

func TestPushInChunks(t *testing.T) {
	f := newFixture(t)
	f.createRepository(t, "app", "")
	w, err := f.oci.PushBlobChunked(t.Context(), "app", 4)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"hello, ", "chunked ", "world"} {
		if _, err := io.WriteString(w, part); err != nil {
			t.Fatal(err)
		}
	}
	want := digest.FromString("hello, chunked world")
	if _, err := w.Commit(want); err != nil {
		t.Fatal(err)
	}
	if _, err := f.oci.ResolveBlob(t.Context(), "app", want); err != nil {
		t.Error(err)
	}
}

func TestPushOfVerySmallBlobs(t *testing.T) {
	f := newFixture(t)
	f.createRepository(t, "app", "")
	for _, content := range []string{"", "x", "xy"} {
		desc := f.pushBlob(t, "app", []byte(content), octetStream)
		if got, err := f.oci.ResolveBlob(t.Context(), "app", desc.Digest); err != nil || got.Size != int64(len(content)) {
			t.Errorf("blob of %d bytes = %+v, %v", len(content), got, err)
		}
	}
}

func TestInterruptedUploadLeavesNothing(t *testing.T) {
	f := newFixture(t)
	f.createRepository(t, "app", "")
	resp, _ := f.do(t, "POST", "/v2/app/blobs/uploads/", "")
	at := resp.Header.Get("Location")
	if resp, body := f.do(t, "PATCH", at, "first half, "); resp.StatusCode != http.StatusAccepted {
		t.Fatalf("PATCH = %d %s", resp.StatusCode, body)
	}
	if _, err := f.oci.ResolveBlob(t.Context(), "app", digest.FromString("first half, ")); !errors.Is(err, ociregistry.ErrBlobUnknown) && !isStatus(err, 404) {
		t.Errorf("half of an upload resolves: %v", err)
	}
	// It can be resumed where it stands, and nowhere else.
	resp, _ = f.do(t, "GET", at, "")
	if got := resp.Header.Get("Range"); got != "0-11" {
		t.Errorf("Range = %q, want 0-11", got)
	}
	if resp, _ := f.do(t, "PATCH", at, "x", "Content-Range", "5-9"); resp.StatusCode == http.StatusAccepted {
		t.Error("a chunk in the wrong place was taken")
	}
	if resp, _ := f.do(t, "PATCH", at, "second", "Content-Range", "3-8"); resp.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("a chunk in the wrong place = %d, want 416", resp.StatusCode)
	}

	f.reopen(t)
	if left := names(t, f.path("tmp")); len(left) != 0 {
		t.Errorf("temporary files after the restart: %v", left)
	}
	if left := names(t, f.path("blobs")); len(left) != 0 {
		t.Errorf("blobs after the restart: %v", left)
	}
	if resp, _ := f.do(t, "GET", at, ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("the upload after the restart = %d, want 404", resp.StatusCode)
	}
}

func TestIdleUploadsAreSwept(t *testing.T) {
	f := newFixture(t)
	f.createRepository(t, "app", "")
	resp, _ := f.do(t, "POST", "/v2/app/blobs/uploads/", "")
	f.do(t, "PATCH", resp.Header.Get("Location"), "some")
	f.now = func() time.Time { return time.Now().Add(uploadIdle + time.Minute) }
	f.sweepUploads()
	if left := names(t, f.path("tmp")); len(left) != 0 {
		t.Errorf("temporary files: %v", left)
	}
}

func isStatus(err error, status int) bool {
	he, ok := errors.AsType[ociregistry.HTTPError](err)
	return ok && he.StatusCode() == status
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		if f.Name() != bootMark {
			out = append(out, f.Name())
		}
	}
	return out
}

func TestPushRefuses(t *testing.T) {
	f := newFixture(t)
	f.createRepository(t, "app", "")
	f.createRepository(t, "fixed", "IMMUTABLE")
	l := []blob{plain(entries(t, file("a", "1")))}
	f.pushImage(t, "fixed", "v1", l, nil)
	other := digest.FromString("other").String()
	config := f.pushBlob(t, "app", []byte("{}"), ocispec.MediaTypeImageConfig)
	manifest := func(d, size string) string {
		return `{"schemaVersion":2,"mediaType":"` + ocispec.MediaTypeImageManifest + `","config":{"mediaType":"x","digest":"` +
			config.Digest.String() + `","size":2},"layers":[{"mediaType":"x","digest":"` + d + `","size":` + size + `}]}`
	}
	oci := []string{"Content-Type", ocispec.MediaTypeImageManifest}
	for _, row := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		code, text               string
	}{
		{
			"a missing repository", "POST", "/v2/none/blobs/uploads/", "", nil, 404, "NAME_UNKNOWN",
			"The repository with name 'none' does not exist in the registry with id '000000000000'",
		},
		{"a wrong digest", "POST", "/v2/app/blobs/uploads/?digest=" + other, "not that", nil, 400, "DIGEST_INVALID", "did not match uploaded content"},
		{"a digest that is none", "POST", "/v2/app/blobs/uploads/?digest=sha256:12", "x", nil, 400, "DIGEST_INVALID", ""},
		{"a blob over the limit", "POST", "/v2/app/blobs/uploads/?digest=" + other, strings.Repeat("x", 1<<20+1), nil, 413, "TOO_LARGE", "1048576 bytes"},
		{"a manifest over the limit", "PUT", "/v2/app/manifests/v1", strings.Repeat(" ", maxManifestBytes+1), oci, 413, "TOO_LARGE", "manifest is larger"},
		{"a manifest without its layer", "PUT", "/v2/app/manifests/v1", manifest(other, "5"), oci, 404, "MANIFEST_BLOB_UNKNOWN", other},
		{"a manifest with a layer's wrong size", "PUT", "/v2/app/manifests/v1", manifest(config.Digest.String(), "3"), oci, 404, "MANIFEST_BLOB_UNKNOWN", ""},
		{"a manifest that is not JSON", "PUT", "/v2/app/manifests/v1", "{", []string{"Content-Type", dockerManifest}, 400, "MANIFEST_INVALID", "Invalid JSON"},
		{"an old schema", "PUT", "/v2/app/manifests/v1", `{"schemaVersion":1}`, []string{"Content-Type", dockerManifest}, 400, "MANIFEST_INVALID", "schemaVersion 1"},
		{"another digest than the path's", "PUT", "/v2/app/manifests/" + other, manifest(config.Digest.String(), "2"), oci, 400, "DIGEST_INVALID", ""},
		{"an unknown media type", "PUT", "/v2/app/manifests/v1", `{"schemaVersion":2}`, []string{"Content-Type", "text/plain"}, 400, "MANIFEST_INVALID", "not supported"},
		{
			"another image under an immutable tag", "PUT", "/v2/fixed/manifests/v1",
			`{"schemaVersion":2,"manifests":[]}`,
			[]string{"Content-Type", ocispec.MediaTypeImageIndex},
			400, "TAG_INVALID",
			"The image tag 'v1' already exists in the 'fixed' repository and cannot be overwritten because the repository is immutable.",
		},
		{"an unknown manifest", "GET", "/v2/app/manifests/none", "", nil, 404, "MANIFEST_UNKNOWN", "imageTag:'none'"},
		{"an unknown blob", "GET", "/v2/app/blobs/" + other, "", nil, 404, "BLOB_UNKNOWN", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			resp, body := f.do(t, row.method, row.path, row.body, row.header...)
			if resp.StatusCode != row.status || !strings.Contains(body, `"`+row.code+`"`) || !strings.Contains(body, row.text) {
				t.Errorf("= %d %s\nwant %d %s %q", resp.StatusCode, body, row.status, row.code, row.text)
			}
			if images, _ := f.Images("app"); len(images) != 0 {
				t.Errorf("images afterwards: %+v", images)
			}
		})
	}
	if left := names(t, f.path("tmp")); len(left) != 0 {
		t.Errorf("temporary files: %v", left)
	}
	f.pushImage(t, "fixed", "v1", l, nil) // the same again is no change
}

func TestMountTakesABlobFromAnotherRepository(t *testing.T) {
	f := newFixture(t)
	f.createRepository(t, "from", "")
	f.createRepository(t, "to", "")
	desc := f.pushBlob(t, "from", []byte("shared"), octetStream)
	if _, err := f.oci.MountBlob(t.Context(), "from", "to", desc.Digest); err != nil {
		t.Fatal(err)
	}
	if _, err := f.oci.ResolveBlob(t.Context(), "to", desc.Digest); err != nil {
		t.Error(err)
	}
	// A mount that is not possible becomes an upload.
	resp, _ := f.do(t, "POST", "/v2/to/blobs/uploads/?from=from&mount="+digest.FromString("none").String(), "")
	if resp.StatusCode != http.StatusAccepted || resp.Header.Get("Location") == "" {
		t.Errorf("mount of an unknown blob = %d, want an upload begun", resp.StatusCode)
	}
}

func TestTokens(t *testing.T) {
	f := newFixture(t)
	password, expires := f.Token("AKIAROOT")
	if d := time.Until(expires); d < 11*time.Hour+59*time.Minute || d > 12*time.Hour {
		t.Errorf("token is valid for %v, want 12 h", d)
	}
	get := func(user, password string) (*http.Response, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			req.SetBasicAuth(user, password)
		}
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp, string(body)
	}
	for _, row := range []struct {
		name, user, password string
		later                time.Duration
		status               int
		text                 string
	}{
		{"no token", "", "", 0, 401, "Not Authorized"},
		{"valid", "AWS", password, 0, 200, ""},
		{"valid to the last minute", "AWS", password, 12*time.Hour - time.Minute, 200, ""},
		{"expired", "AWS", password, 12 * time.Hour, 401, "Your authorization token has expired. Reauthenticate and try again."},
		{"another user", "root", password, 0, 401, "Not Authorized"},
		{"forged", "AWS", "B" + password[1:], 0, 401, "Not Authorized"},
		{"nonsense", "AWS", "secret", 0, 401, "Not Authorized"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f.now = func() time.Time { return time.Now().Add(row.later) }
			resp, body := get(row.user, row.password)
			if resp.StatusCode != row.status || !strings.Contains(body, row.text) {
				t.Errorf("= %d %s, want %d %q", resp.StatusCode, body, row.status, row.text)
			}
			if challenge := resp.Header.Get("Www-Authenticate"); (row.status == 401) != strings.HasPrefix(challenge, "Basic realm=") {
				t.Errorf("challenge = %q", challenge)
			}
		})
	}
	f.reopen(t)
	if err := f.checkToken(password); err != nil {
		t.Errorf("token after a restart: %v", err)
	}
}

func TestDeleteImage(t *testing.T) {
	f := newFixture(t)
	f.createRepository(t, "app", "")
	one := f.pushImage(t, "app", "v1", []blob{plain(entries(t, file("a", "1"))), plain(entries(t, file("b", "2")))}, nil)
	two := f.pushImage(t, "app", "v2", []blob{plain(entries(t, file("a", "1")))}, nil)
	if _, err := f.oci.PushManifest(t.Context(), "app", "also-v2", f.bytes(t, two), two.MediaType); err != nil {
		t.Fatal(err)
	}

	if err := f.oci.DeleteTag(t.Context(), "app", "v2"); err != nil {
		t.Fatal(err)
	}
	if img, err := f.Image("app", "also-v2"); err != nil || !cmp.Equal(img.Tags, []string{"also-v2"}) {
		t.Errorf("after one of two tags is gone: %+v, %v", img, err)
	}
	if err := f.oci.DeleteManifest(t.Context(), "app", one.Digest); err != nil {
		t.Fatal(err)
	}
	if err := f.collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(names(t, f.path("blobs"))); got != 3 { // a manifest, a config, the shared layer
		t.Errorf("%d blobs after deleting one of two images, want 3", got)
	}
	if _, err := f.DeleteImage(t.Context(), "app", "also-v2"); err != nil {
		t.Fatal(err)
	}
	if images, err := f.Images("app"); err != nil || len(images) != 0 {
		t.Errorf("images = %+v, %v, want none after the last tag went", images, err)
	}
	if err := f.collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, f.path("blobs")); len(got) != 0 {
		t.Errorf("blobs = %v, want none", got)
	}
}

func (f *fixture) bytes(t *testing.T, desc ocispec.Descriptor) []byte {
	t.Helper()
	data, err := f.readBlob(desc.Digest.String(), maxManifestBytes)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDeleteRepository(t *testing.T) {
	f := newFixture(t)
	f.createRepository(t, "app", "")
	f.pushImage(t, "app", "v1", []blob{plain(entries(t, file("a", "1")))}, nil)
	_, err := f.DeleteRepository(t.Context(), "app", false)
	if e, ok := errors.AsType[*model.Error](err); !ok || e.Code != "RepositoryNotEmptyException" {
		t.Errorf("delete with images: %v", err)
	}
	if _, err := f.DeleteRepository(t.Context(), "app", true); err != nil {
		t.Fatal(err)
	}
	f.createRepository(t, "app", "") // the name is free, and the new one empty
	if images, err := f.Images("app"); err != nil || len(images) != 0 {
		t.Errorf("images = %v, %v", images, err)
	}
}
