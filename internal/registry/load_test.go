package registry

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"neargate/internal/model"
)

// tarOf makes an archive of files, in the order of their names; one that begins
// with "-> " is a symbolic link.
func tarOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg}
		if to, link := strings.CutPrefix(files[name], "-> "); link {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, to, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(w, files[name]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// configOf is the config of an image for this machine, or another, with layers.
func configOf(t *testing.T, architecture string, layers ...blob) string {
	t.Helper()
	c := ocispec.Image{Platform: ocispec.Platform{OS: runtime.GOOS, Architecture: architecture}}
	for _, l := range layers {
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, digest.FromBytes(l.tar))
	}
	return string(mustJSON(t, c))
}

// layoutOf makes an OCI image layout with one image, under a name or none, or an
// index of images for several machines.
func layoutOf(t *testing.T, name string, l blob, architectures ...string) map[string]string {
	t.Helper()
	files := map[string]string{"oci-layout": `{"imageLayoutVersion":"1.0.0"}`}
	add := func(mediaType, content string) ocispec.Descriptor {
		d := digest.FromString(content)
		files["blobs/sha256/"+d.Encoded()] = content
		return ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(content))}
	}
	var images []ocispec.Descriptor
	for _, architecture := range architectures {
		var m ocispec.Manifest
		m.SchemaVersion, m.MediaType = 2, ocispec.MediaTypeImageManifest
		m.Config = add(ocispec.MediaTypeImageConfig, configOf(t, architecture, l))
		m.Layers = []ocispec.Descriptor{add(l.mediaType, string(l.data))}
		images = append(images, add(m.MediaType, string(mustJSON(t, m))))
	}
	top := images[0]
	if len(images) > 1 {
		top = add(ocispec.MediaTypeImageIndex, string(mustJSON(t, index(images...))))
	}
	if name != "" {
		top.Annotations = map[string]string{ocispec.AnnotationRefName: name}
	}
	files["index.json"] = string(mustJSON(t, index(top)))
	return files
}

func TestLoadTakesWhatToolsSave(t *testing.T) {
	needsRoot(t)
	l := plain(entries(t, file("a", "1")))
	gz := gzipped(t, entries(t, file("a", "1")))
	manifest := func(config, tags string, layers ...string) string {
		return `[{"Config":"` + config + `","RepoTags":` + tags + `,"Layers":["` + strings.Join(layers, `","`) + `"]}]`
	}
	legacy := map[string]string{
		"manifest.json": manifest("abc.json", `["nginx:1.27","ghcr.io/me/web:v1"]`, "one/layer.tar", "two/layer.tar"),
		"abc.json":      configOf(t, runtime.GOARCH, l, l), "one/layer.tar": string(l.data), "two/layer.tar": "-> ../one/layer.tar",
	}
	blobs := layoutOf(t, "", gz, runtime.GOARCH)
	config, layer := configOf(t, runtime.GOARCH, gz), "blobs/sha256/"+digest.FromBytes(gz.data).Encoded()
	blobs["manifest.json"] = manifest("blobs/sha256/"+digest.FromString(config).Encoded(), `["nginx:1.27"]`, layer)
	other := "vax"
	for _, row := range []struct {
		name  string
		files map[string]string
		as    string
		want  []string
		ref   string
	}{
		{"docker save, with directories", legacy, "", []string{"docker.io/library/nginx:1.27", "ghcr.io/me/web:v1"}, "ghcr.io/me/web:v1"},
		{"docker save, with blobs", blobs, "", []string{"docker.io/library/nginx:1.27"}, "nginx:1.27"},
		{"under another name", blobs, "quay.io/a/b:c", []string{"quay.io/a/b:c"}, "quay.io/a/b:c"},
		{"a layout", layoutOf(t, "docker.io/library/nginx:1.27", gz, runtime.GOARCH), "", []string{"docker.io/library/nginx:1.27"}, "library/nginx:1.27"},
		{"a layout with a tag only", layoutOf(t, "1.27", gz, runtime.GOARCH), "app", []string{"docker.io/library/app:latest"}, "app"},
		{"a layout for several machines", layoutOf(t, "app:v1", gz, other, runtime.GOARCH), "", []string{"docker.io/library/app:v1"}, "app:v1"},
	} {
		for _, compressed := range []bool{false, true} {
			f := newFixture(t)
			data := tarOf(t, row.files)
			if compressed {
				data = gzipped(t, data).data
			}
			images, err := f.Load(t.Context(), bytes.NewReader(data), row.as)
			if err != nil || len(images) != 1 || !cmp.Equal(images[0].Names, row.want) || !images[0].Loaded {
				t.Errorf("%s: Load = %+v, %v, want %q", row.name, images, err, row.want)
				continue
			}
			f.reopen(t) // all of it is on disk, and no registry is asked
			if got := f.contentOf(t, row.ref, nil, "a"); got != "1" {
				t.Errorf("%s: the image holds %q", row.name, got)
			}
			if got, err := f.Resolve(t.Context(), row.ref, nil, ""); err != nil || got != images[0].Digest {
				t.Errorf("%s: Resolve = %s, %v, want %s", row.name, got, err, images[0].Digest)
			}
			if err := f.collect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if left := names(t, f.path("tmp")); len(left) != 0 {
				t.Errorf("%s: temporary files %v", row.name, left)
			}
		}
	}
}

func TestLoadRefusesWhatIsNoImage(t *testing.T) {
	l := plain(entries(t, file("a", "1")))
	good := func(change func(map[string]string)) []byte {
		files := layoutOf(t, "app:v1", l, runtime.GOARCH)
		change(files)
		return tarOf(t, files)
	}
	layer := "blobs/sha256/" + digest.FromBytes(l.data).Encoded()
	whole := good(func(map[string]string) {})
	for _, row := range []struct {
		name, as, want string
		data           []byte
	}{
		{"nothing", "", "the archive is empty", nil},
		{"something else", "", "this is no tar archive", []byte(strings.Repeat("x", 2000))},
		{"a damaged gzip", "", "gzip", []byte("\x1f\x8bxxxxxxxxxxxxxxxx")},
		{"a tar of other things", "", "neither an archive of docker save nor an OCI image layout", tarOf(t, map[string]string{"a": "b"})},
		{"half of it", "", "unexpected EOF", whole[:len(whole)/2]},
		{"a layer that is not there", "", "has no file " + layer, good(func(f map[string]string) { delete(f, layer) })},
		{"another layer", "", "has digest sha256:", good(func(f map[string]string) { f[layer] = "other" })},
		{"links in a circle", "", "has no file " + layer, good(func(f map[string]string) {
			f[layer] = "-> x"
			f["blobs/sha256/x"] = "-> " + layer[len("blobs/sha256/"):]
		})},
		{"a link out", "", "has no file " + layer, good(func(f map[string]string) { f[layer] = "-> /etc/passwd" })},
		{"an image for another machine", "", "does not contain descriptor matching platform", tarOf(t, layoutOf(t, "app:v1", l, "vax"))},
		{"no name", "", "has no name", tarOf(t, layoutOf(t, "", l, runtime.GOARCH))},
		{"a tag alone", "", "has no name, only the tag v1", tarOf(t, layoutOf(t, "v1", l, runtime.GOARCH))},
		{"a bad name", "UPPER", "invalid name", whole},
		{"a name of our own registry", "127.0.0.1:4566/app", "in this server's own registry", whole},
		{"broken JSON", "", "read index.json", good(func(f map[string]string) { f["index.json"] = "{" })},
		{"no images", "", "has no image", good(func(f map[string]string) { f["index.json"] = "{}" })},
		{"a large member", "", "larger than the limit", good(func(f map[string]string) { f["large"] = strings.Repeat("x", 1<<20+1) })},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture(t)
			_, err := f.Load(t.Context(), bytes.NewReader(row.data), row.as)
			if e, ok := errors.AsType[*model.Error](err); !ok || e.Kind != model.Invalid || !strings.Contains(e.Msg, row.want) {
				t.Errorf("Load = %v, want %q", err, row.want)
			}
			if err := f.collect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if left := append(names(t, f.path("tmp")), names(t, f.path("blobs"))...); len(left) != 0 || len(f.Pulled()) != 0 {
				t.Errorf("files %v and images %v are left", left, f.Pulled())
			}
		})
	}
}

func TestImagesInUseStay(t *testing.T) {
	needsRoot(t)
	f := newFixture(t)
	deployed := map[string]bool{}
	f.set = func(c *Config) { c.Named = func() map[string]bool { return deployed } }
	f.reopen(t)
	there := newOther(t, "app")
	pull := func(tag string) string {
		there.pushImage(t, "app", tag, []blob{gzipped(t, entries(t, file("n", noise(50_000)+tag)))}, nil)
		rootfs, release, err := f.Unpack(t.Context(), there.host+"/app:"+tag, there.cred, "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(release)
		if tag != "run" {
			release()
		}
		return rootfs.Digest
	}
	now := time.Now()
	f.now = func() time.Time { now = now.Add(time.Minute); return now }
	run, named, old := pull("run"), pull("named"), pull("old")
	loaded, err := f.Load(t.Context(), bytes.NewReader(tarOf(t, layoutOf(t, "app:v1", plain(entries(t, file("a", "1"))), runtime.GOARCH))), "")
	if err != nil {
		t.Fatal(err)
	}
	deployed[named] = true
	pull("new")
	left := func() []string {
		var all []string
		for _, img := range f.Pulled() {
			all = append(all, img.Digest)
		}
		slices.Sort(all)
		return all
	}
	if img := f.image(t, loaded[0].Digest); !img.UsedAt.Equal(img.PulledAt) {
		t.Errorf("a loaded image that nobody used was used at %s, loaded at %s", img.UsedAt, img.PulledAt)
	}
	kept := []string{run, named, loaded[0].Digest}
	slices.Sort(kept)
	for _, ref := range []string{there.host + "/app:run", named, named[:20]} {
		if _, err := f.RemovePulled(t.Context(), ref); model.KindOf(err) != model.Conflict {
			t.Errorf("RemovePulled(%s) = %v, want a conflict", ref, err)
		}
	}
	// The longest unused goes first, as far as there is too much.
	f.cfg.MaxPulledBytes = f.sizes(f.pulled.List("")).total() - 1
	if err := f.collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := left(); slices.Contains(got, old) || len(got) != 4 {
		t.Errorf("images %v are left, want all but %s", got, old)
	}
	f.cfg.MaxPulledBytes = 1
	if err := f.collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := left(); !slices.Equal(got, kept) {
		t.Errorf("images %v are left, want %v", got, kept)
	}
	if gone, err := f.PrunePulled(t.Context(), false); err != nil || len(gone) != 0 {
		t.Errorf("PrunePulled = %v, %v, want none", gone, err)
	}
	if gone, err := f.PrunePulled(t.Context(), true); err != nil || len(gone) != 1 || gone[0].Digest != loaded[0].Digest {
		t.Errorf("PrunePulled of all = %v, %v, want the loaded one", gone, err)
	}
	clear(deployed)
	if _, err := f.RemovePulled(t.Context(), there.host+"/app:named"); err != nil {
		t.Error(err)
	}
	if err := f.collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(names(t, f.path("blobs"))); got != 3 { // of the image that runs
		t.Errorf("%d blobs are left, want 3", got)
	}
	if got := len(names(t, f.path("layers"))); got != 1 {
		t.Errorf("%d layers are left, want 1", got)
	}
}

func TestImagesPageWantsAToken(t *testing.T) {
	f := newFixture(t)
	pages := f.ImagesHandler()
	ask := func(method, path, password string, body []byte) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if password != "" {
			req.SetBasicAuth("AWS", password)
		}
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, req)
		return w.Code, w.Body.String()
	}
	password, _ := f.Token("AKIAROOT")
	archive := tarOf(t, layoutOf(t, "app:v1", plain(entries(t, file("a", "1"))), runtime.GOARCH))
	for _, row := range []struct {
		method, path, password string
		body                   []byte
		status                 int
		want                   string
	}{
		{"GET", "/_neargate/images", "", nil, 401, ""},
		{"POST", "/_neargate/images", "wrong", archive, 401, ""},
		{"DELETE", "/_neargate/images?image=app:v1", "", nil, 401, ""},
		{"GET", "/_neargate/images", password, nil, 200, `{"images":[]}`},
		{"POST", "/_neargate/images", password, []byte("x"), 400, "InvalidParameterException"},
		{"POST", "/_neargate/images", password, archive, 200, `"docker.io/library/app:v1"`},
		{"GET", "/_neargate/images", password, nil, 200, `"loaded":true`},
		{"DELETE", "/_neargate/images?image=nosuch", password, nil, 404, "ImageNotFoundException"},
		{"DELETE", "/_neargate/images?image=app:v1", password, nil, 200, `"docker.io/library/app:v1"`},
		{"POST", "/_neargate/images/prune?all=true", password, nil, 200, `{"images":[]}`},
	} {
		status, body := ask(row.method, row.path, row.password, row.body)
		if status != row.status || !strings.Contains(body, row.want) || row.status != 401 && !json.Valid([]byte(body)) {
			t.Errorf("%s %s = %d %s, want %d with %s", row.method, row.path, status, body, row.status, row.want)
		}
	}
}

func (f *fixture) image(t *testing.T, digest string) PulledImage {
	t.Helper()
	for _, img := range f.Pulled() {
		if img.Digest == digest {
			return img
		}
	}
	t.Fatalf("there is no image %s", digest)
	return PulledImage{}
}

// Every start of a task is a use, however soon it follows, and the next server
// knows of the first.
func TestTheLastUseOfAnImage(t *testing.T) {
	needsRoot(t)
	f := newFixture(t)
	loaded, err := f.Load(t.Context(), bytes.NewReader(tarOf(t, layoutOf(t, "app:v1", plain(entries(t, file("a", "1"))), runtime.GOARCH))), "")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		before := f.image(t, loaded[0].Digest).UsedAt
		at := before.Add(time.Minute)
		f.now = func() time.Time { return at }
		_, release, err := f.Unpack(t.Context(), "app:v1", nil, "")
		if err != nil {
			t.Fatal(err)
		}
		release()
		if got := f.image(t, loaded[0].Digest).UsedAt; !got.Equal(at) {
			t.Errorf("use %d: at %s the last one was at %s", i+1, at, got)
		}
	}
	if p, _ := f.pulled.Get(loaded[0].Digest); !p.UsedAt.After(p.PulledAt) {
		t.Error("the next server takes it for an image that nobody used")
	}
}
