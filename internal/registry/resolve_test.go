package registry

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"neargate/internal/model"
)

func index(children ...ocispec.Descriptor) ocispec.Index {
	return ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: children,
	}
}

// plant stores a manifest as an earlier build would have taken it, unchecked.
func (f *fixture) plant(t *testing.T, repo, tagName, mediaType string, data []byte) ocispec.Descriptor {
	t.Helper()
	d := digest.FromBytes(data).String()
	err := errors.Join(
		os.WriteFile(f.blobPath(d), data, 0o600),
		f.images.Put(t.Context(), repo+"@"+d, image{Image: model.Image{Repository: repo, Digest: d, MediaType: mediaType}}),
		f.tags.Put(t.Context(), repo+":"+tagName, tag{tagName, d}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.Digest(d), Size: int64(len(data))}
}

func on(d ocispec.Descriptor, system, architecture string) ocispec.Descriptor {
	d.Platform = &ocispec.Platform{OS: system, Architecture: architecture}
	return d
}

func as(d ocispec.Descriptor, mediaType string) ocispec.Descriptor {
	d.MediaType = mediaType
	return d
}

// A registry that holds what others wrote must not believe it.
func TestResolveBelievesNoDescriptor(t *testing.T) {
	f := newFixture(t)
	f.createRepository(t, "app", "")
	good := f.pushImage(t, "app", "good", []blob{plain(entries(t, file("a", "1")))}, nil)
	vax := f.pushImage(t, "app", "vax", []blob{plain(entries(t, file("a", "2")))}, func(c *ocispec.Image) { c.Architecture = "vax" })
	bare := f.pushImage(t, "app", "bare", []blob{plain(entries(t, file("a", "3")))}, func(c *ocispec.Image) { c.Platform = ocispec.Platform{} })
	inner := f.plant(t, "app", "inner", ocispec.MediaTypeImageIndex, mustJSON(t, index(on(good, runtime.GOOS, runtime.GOARCH))))
	none := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString("none"), Size: 4}
	goodManifest := func(change func(*ocispec.Manifest)) []byte {
		data, _, err := f.Manifest("app", "good")
		if err != nil {
			t.Fatal(err)
		}
		var m ocispec.Manifest
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		change(&m)
		return mustJSON(t, m)
	}
	many := make([]ocispec.Descriptor, 20_000)
	for i := range many {
		many[i] = vax
	}
	for _, row := range []struct {
		name      string
		mediaType string
		manifest  []byte
		want      string // a digest, or a part of the error
	}{
		{"an index without platforms", ocispec.MediaTypeImageIndex, mustJSON(t, index(vax, good)), good.Digest.String()},
		{"an index whose image names no platform either", ocispec.MediaTypeImageIndex, mustJSON(t, index(vax, bare)), bare.Digest.String()},
		{"a named platform goes first", ocispec.MediaTypeImageIndex, mustJSON(t, index(bare, on(good, runtime.GOOS, runtime.GOARCH))), good.Digest.String()},
		{"an attestation beside the image", ocispec.MediaTypeImageIndex, mustJSON(t, index(on(vax, "unknown", "unknown"), on(good, runtime.GOOS, runtime.GOARCH))), good.Digest.String()},
		{"only another platform", ocispec.MediaTypeImageIndex, mustJSON(t, index(on(good, "linux", "vax"))), "does not contain descriptor matching platform '" + runtime.GOOS + "/" + runtime.GOARCH},
		{"only other configs", ocispec.MediaTypeImageIndex, mustJSON(t, index(many...)), "does not contain descriptor matching platform"},
		{"an empty index", ocispec.MediaTypeImageIndex, mustJSON(t, index()), "does not contain descriptor matching platform"},
		{"an index called an image", ocispec.MediaTypeImageIndex, mustJSON(t, index(on(as(inner, ocispec.MediaTypeImageManifest), runtime.GOOS, runtime.GOARCH))), "is declared an image manifest and is an index"},
		{"an index called an image, without a platform", ocispec.MediaTypeImageIndex, mustJSON(t, index(as(inner, ocispec.MediaTypeImageManifest))), "is declared an image manifest and is an index"},
		{"an index within an index", ocispec.MediaTypeImageIndex, mustJSON(t, index(on(inner, runtime.GOOS, runtime.GOARCH))), "does not contain descriptor matching platform"},
		{"a child that is not there", ocispec.MediaTypeImageIndex, mustJSON(t, index(on(none, runtime.GOOS, runtime.GOARCH))), "does not exist"},
		{"an index kept as an image", ocispec.MediaTypeImageManifest, mustJSON(t, index(good)), "media type"},
		{"an image kept as an index", ocispec.MediaTypeImageIndex, goodManifest(func(m *ocispec.Manifest) { m.MediaType = "" }), "an index has no config"},
		{"no config", ocispec.MediaTypeImageManifest, []byte(`{"schemaVersion":2,"config":null,"layers":[]}`), "config is missing"},
		{"a config that is not there", ocispec.MediaTypeImageManifest, goodManifest(func(m *ocispec.Manifest) { m.Config.Digest = none.Digest }), "blob unknown"},
		{"a config that is a layer", ocispec.MediaTypeImageManifest, goodManifest(func(m *ocispec.Manifest) { m.Config = as(m.Layers[0], ocispec.MediaTypeImageConfig) }), "read image config"},
		{"a foreign config", ocispec.MediaTypeImageManifest, goodManifest(func(m *ocispec.Manifest) { m.Config.MediaType = dockerForeignLayer }), "not a container image"},
		{"a chart", ocispec.MediaTypeImageManifest, goodManifest(func(m *ocispec.Manifest) { m.Config.MediaType = "application/vnd.cncf.helm.config.v1+json" }), "not a container image"},
		{"a foreign layer", ocispec.MediaTypeImageManifest, goodManifest(func(m *ocispec.Manifest) { m.Layers[0].MediaType = dockerForeignLayer }), "outside the registry"},
		{"an attestation as a layer", ocispec.MediaTypeImageManifest, goodManifest(func(m *ocispec.Manifest) { m.Layers[0].MediaType = "application/vnd.in-toto+json" }), "holds no files"},
		{"no layers", ocispec.MediaTypeImageManifest, goodManifest(func(m *ocispec.Manifest) { m.Layers = nil }), "no layers"},
		{"too many layers", ocispec.MediaTypeImageManifest, goodManifest(func(m *ocispec.Manifest) {
			for len(m.Layers) <= maxLayers {
				m.Layers = append(m.Layers, m.Layers[0])
			}
		}), "more than the limit of 200"},
		{"more layers than the config knows", ocispec.MediaTypeImageManifest, goodManifest(func(m *ocispec.Manifest) { m.Layers = append(m.Layers, m.Layers[0]) }), "manifest has 2 layers, its config 1"},
		{"brackets", ocispec.MediaTypeImageManifest, []byte(strings.Repeat("[", 100_000)), "JSON"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f.plant(t, "app", "row", row.mediaType, row.manifest)
			got, err := f.Resolve(t.Context(), "app:row", nil, "")
			if strings.HasPrefix(row.want, "sha256:") {
				if err != nil || got != row.want {
					t.Errorf("Resolve = %s, %v, want %s", got, err, row.want)
				}
				return
			}
			e, ok := errors.AsType[*model.Error](err)
			if !ok || e.Code != "CannotPullContainerError" || !strings.Contains(e.Msg, row.want) {
				t.Errorf("Resolve = %q, %v, want CannotPullContainerError with %q", got, err, row.want)
			}
			if _, _, err := f.Unpack(t.Context(), "app:row", nil, ""); err == nil || err.Error() != e.Error() {
				t.Errorf("Unpack = %v, Resolve %v", err, e)
			}
		})
	}
}

func TestPushRefusesUntrueManifests(t *testing.T) {
	f := newFixture(t)
	f.createRepository(t, "app", "")
	good := f.pushImage(t, "app", "good", []blob{plain(entries(t, file("a", "1")))}, nil)
	data, _, err := f.Manifest("app", "good")
	if err != nil {
		t.Fatal(err)
	}
	short := good
	short.Size--
	const none = "sha256:4242424242424242424242424242424242424242424242424242424242424242"
	for _, row := range []struct{ name, mediaType, body, code string }{
		{"an image called an index", ocispec.MediaTypeImageIndex, string(mustJSON(t, index(as(good, ocispec.MediaTypeImageIndex)))), "MANIFEST_INVALID"},
		{"a wrong size", ocispec.MediaTypeImageIndex, string(mustJSON(t, index(short))), "MANIFEST_INVALID"},
		{"brackets", ocispec.MediaTypeImageManifest, strings.Repeat("[", 100_000), "MANIFEST_INVALID"},
		{"no JSON", ocispec.MediaTypeImageManifest, "\x00\xff", "MANIFEST_INVALID"},
		{"nothing", ocispec.MediaTypeImageManifest, "", "MANIFEST_INVALID"},
		{"a list", ocispec.MediaTypeImageManifest, "[]", "MANIFEST_INVALID"},
		{"a subject that is none", ocispec.MediaTypeImageManifest, strings.Replace(string(data), "{", `{"subject":7,`, 1), "MANIFEST_INVALID"},
		{"another type than its own", ocispec.MediaTypeImageIndex, string(data), "MANIFEST_INVALID"},
		{
			"a foreign config without its blob", ocispec.MediaTypeImageManifest,
			`{"schemaVersion":2,"config":{"mediaType":"` + dockerForeignLayer + `","digest":"` + none + `","size":1},"layers":[]}`, "MANIFEST_BLOB_UNKNOWN",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			resp, body := f.do(t, "PUT", "/v2/app/manifests/bad", row.body, "Content-Type", row.mediaType)
			if resp.StatusCode/100 != 4 || !strings.Contains(body, row.code) {
				t.Errorf("PUT = %d %s, want 4xx with %s", resp.StatusCode, body, row.code)
			}
			if _, err := f.Image("app", "bad"); err == nil {
				t.Error("the tag was set")
			}
		})
	}
	if resp, body := f.do(t, "PUT", "/v2/app/manifests/good", string(data), "Content-Type", ocispec.MediaTypeImageManifest); resp.StatusCode != http.StatusCreated {
		t.Errorf("PUT of a good one = %d %s", resp.StatusCode, body)
	}
}

func TestBlobsOfARepositoryCalledManifests(t *testing.T) {
	f := newFixture(t)
	f.createRepository(t, "a/manifests/b", "")
	f.pushImage(t, "a/manifests/b", "v1", []blob{plain(entries(t, file("a", "1")))}, nil)
}

// A deployment keeps the image that its tag named when it began.
func TestPinnedImageStaysWhereItsTagMoves(t *testing.T) {
	needsRoot(t)
	f := newFixture(t)
	f.createRepository(t, "app", "")
	push := func(content string) {
		f.pushImage(t, "app", "v1", []blob{plain(entries(t, file("version", content)))}, nil)
	}
	push("old")
	ref := f.cfg.Endpoint + "/app:v1"
	old, err := f.Resolve(t.Context(), ref, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if left := names(t, f.path("layers")); len(left) != 0 {
		t.Errorf("Resolve unpacked %v", left)
	}
	push("new")
	if err := f.collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.reopen(t)
	for _, row := range []struct{ ref, want string }{{model.PinnedImage(ref, old), "old"}, {ref, "new"}} {
		rootfs, release, err := f.Unpack(t.Context(), row.ref, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(rootfs.Layers[0] + "/version"); err != nil || string(got) != row.want {
			t.Errorf("%s holds %q, %v, want %q", row.ref, got, err, row.want)
		}
		release()
	}
	if _, err := f.DeleteImage(t.Context(), "app", "v1"); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Resolve(t.Context(), model.PinnedImage(ref, old), nil, ""); err != nil || got != old {
		t.Errorf("after the tag has gone Resolve = %s, %v, want %s", got, err, old)
	}
}

func TestResolveEndsWithItsContext(t *testing.T) {
	f := newFixture(t)
	f.createRepository(t, "app", "")
	d := f.pushImage(t, "app", "v1", []blob{plain(entries(t, file("a", "1")))}, nil)
	if _, err := f.oci.PushManifest(t.Context(), "app", "multi", mustJSON(t, index(d)), ocispec.MediaTypeImageIndex); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Resolve(ctx, "app:multi", nil, ""); err == nil {
		t.Error("Resolve goes on when its context has ended")
	}
}
