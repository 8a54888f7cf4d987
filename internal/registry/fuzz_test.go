package registry

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"neargate/internal/model"
	"neargate/internal/registry/remote"
)

// planted is a registry with a good image in "app", and files for others.
func planted(f *testing.F) (fx *fixture, good ocispec.Descriptor) {
	f.Helper()
	fx = newFixture(f)
	fx.createRepository(f, "app", "")
	return fx, fx.pushImage(f, "app", "good", []blob{plain(entries(f, file("a", "1")))}, nil)
}

// FuzzManifest reads manifests as a registry does that took them unchecked.
func FuzzManifest(f *testing.F) {
	fx, good := planted(f)
	data, _, err := fx.Manifest("app", "good")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, ocispec.MediaTypeImageManifest)
	f.Add(mustJSON(f, index(good, on(good, runtime.GOOS, runtime.GOARCH))), ocispec.MediaTypeImageIndex)
	f.Add(mustJSON(f, index(as(good, ocispec.MediaTypeImageIndex))), dockerManifestList)
	f.Add([]byte(`{"schemaVersion":2,"config":null,"layers":[]}`), "")
	f.Add([]byte(strings.Repeat("[", 100)), dockerManifest)
	f.Fuzz(func(t *testing.T, data []byte, mediaType string) {
		m, err := parseManifest(data, mediaType)
		if err == nil && !isIndex(m.MediaType) && m.Config == nil {
			t.Errorf("an image without a config was taken: %s", data)
		}
		d := digest.FromBytes(data).String()
		path := fx.blobPath(d)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		img := model.Image{Repository: "app", Digest: d, MediaType: mediaType}
		if b, err := fx.open(img, platformOf("")); err == nil && (b.manifest.Config == nil || len(b.config.RootFS.DiffIDs) != len(b.manifest.Layers)) {
			t.Errorf("opened as %+v", b)
		}
		child := func(d string) (model.Image, error) { return fx.child(img, d) }
		if img, err := choose(t.Context(), choice{data, mediaType, platformOf("")}, child, func(img model.Image) bool { return fx.fits(img, platformOf("")) }); err == nil && isIndex(img.MediaType) {
			t.Errorf("chose the index %+v", img)
		}
		if d != good.Digest.String() {
			_ = os.Remove(path)
		}
	})
}

// FuzzConfig reads image configs.
func FuzzConfig(f *testing.F) {
	fx, _ := planted(f)
	f.Add([]byte(`{"architecture":"amd64","os":"linux","config":{"User":"x","Env":["A=b"],"ExposedPorts":{"80/tcp":{}}},"rootfs":{"type":"layers","diff_ids":["sha256:` + strings.Repeat("a", 64) + `"]}}`))
	f.Add([]byte(`{"rootfs":{"diff_ids":[null]},"config":{"Entrypoint":null,"Volumes":[]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := digest.FromBytes(data)
		if err := os.WriteFile(fx.blobPath(d.String()), data, 0o600); err != nil {
			t.Fatal(err)
		}
		m := manifest{Config: &ocispec.Descriptor{Digest: d}, Layers: make([]ocispec.Descriptor, 1)}
		if c, err := fx.readConfig(m); err == nil {
			if len(c.RootFS.DiffIDs) != 1 || checkDigest(c.RootFS.DiffIDs[0].String()) != nil {
				t.Errorf("diff IDs %v were taken", c.RootFS.DiffIDs)
			}
			_ = imageConfig(c)
		}
		_ = os.Remove(fx.blobPath(d.String()))
	})
}

// FuzzReference reads image references.
func FuzzReference(f *testing.F) {
	fx, good := planted(f)
	f.Add("127.0.0.1:4566/a/b:c@" + good.Digest.String())
	f.Add("a:b")
	f.Add("[::1]:80/A//../b")
	f.Fuzz(func(t *testing.T, s string) {
		ref, _, err := fx.ours(s)
		if err == nil && (strings.Contains(ref.repo, "..") || strings.ContainsAny(ref.repo+ref.ref, " \x00\\\n")) {
			t.Errorf("%q was read as %+v", s, ref)
		}
		there, err := remote.Parse(s)
		if err == nil && (strings.Contains(there.Repository, "..") || strings.ContainsAny(there.String(), " \x00\\\n?#%")) {
			t.Errorf("%q was read as %+v", s, there)
		}
	})
}
