package scenario_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"cuelabs.dev/go/oci/ociregistry"
	"cuelabs.dev/go/oci/ociregistry/ociclient"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// tenantImage is an image of the program in testdata/tenant, as an example's
// definition names it and with what the real image's configuration would have.
type tenantImage struct {
	name    string
	listen  string
	env     []string
	volumes []string
	user    string
}

// tenantLayer is the program under the names by which it is called.
func tenantLayer(t *testing.T) []byte {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "tenant")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", exe, "./testdata/tenant")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build tenant: %v\n%s", err, out)
	}
	program := must[[]byte](t)(os.ReadFile(exe))
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	add := func(h tar.Header, data string) {
		h.Size = int64(len(data))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		must[int](t)(w.Write([]byte(data)))
	}
	for dir, mode := range map[string]int64{"bin/": 0o755, "etc/": 0o755, "usr/": 0o755, "usr/local/": 0o755, "usr/local/bin/": 0o755, "tmp/": 0o1777} {
		add(tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: mode}, "")
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: "bin/tenant", Mode: 0o755}, string(program))
	for _, name := range []string{"bin/sh", "usr/local/bin/healthcheck"} {
		add(tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: "/bin/tenant", Mode: 0o777}, "")
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644}, "root:x:0:0::/:/bin/sh\n")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// config is the image's configuration.
func (i tenantImage) config(t *testing.T, layer []byte) []byte {
	t.Helper()
	volumes := map[string]struct{}{}
	for _, v := range i.volumes {
		volumes[v] = struct{}{}
	}
	return must[[]byte](t)(json.Marshal(ocispec.Image{
		Platform: ocispec.Platform{OS: runtime.GOOS, Architecture: runtime.GOARCH},
		Config: ocispec.ImageConfig{
			Entrypoint: []string{"/bin/tenant"}, User: i.user, Volumes: volumes,
			Env: append([]string{"PATH=/usr/local/bin:/bin", "TENANT_LISTEN=" + i.listen}, i.env...),
		},
		RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(layer)}},
	}))
}

// provide makes the images available: those of ECR in the server's registry,
// those of other registries from a file, as `docker save` writes it.
func (c *client) provide(s *server, images []tenantImage) {
	c.t.Helper()
	layer := tenantLayer(c.t)
	var loaded []tenantImage
	for _, i := range images {
		if repository, ok := strings.CutPrefix(i.name, "000000000000.dkr.ecr.us-east-1.amazonaws.com/"); ok {
			name, tag, _ := strings.Cut(repository, ":")
			c.pushTenant(name, tag, layer, i.config(c.t, layer))
		} else {
			loaded = append(loaded, i)
		}
	}
	file := filepath.Join(c.t.TempDir(), "images.tar")
	if err := os.WriteFile(file, savedTenants(c.t, loaded, layer), 0o600); err != nil {
		c.t.Fatal(err)
	}
	if out, err := exec.Command(neargate(c.t), "image", "--data", s.data, "load", file).CombinedOutput(); err != nil {
		c.t.Fatalf("neargate image load: %v\n%s", err, out)
	}
}

// savedTenants is the file that `docker save` would write of the images.
func savedTenants(t *testing.T, images []tenantImage, layer []byte) []byte {
	t.Helper()
	type saved struct {
		Config           string
		RepoTags, Layers []string
	}
	members := map[string][]byte{"layer.tar": layer}
	var manifest []saved
	for _, i := range images {
		config := i.config(t, layer)
		name := digest.FromBytes(config).Encoded() + ".json"
		members[name] = config
		manifest = append(manifest, saved{name, []string{i.name}, []string{"layer.tar"}})
	}
	members["manifest.json"] = must[[]byte](t)(json.Marshal(manifest))
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, data := range members {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		must[int](t)(w.Write(data))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// pushTenant pushes an image of a layer and a configuration to the server's
// registry.
func (c *client) pushTenant(name, tag string, layer, config []byte) {
	c.t.Helper()
	ctx := c.t.Context()
	repo := must[*ecr.CreateRepositoryOutput](c.t)(c.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String(name)}))
	auth := must[*ecr.GetAuthorizationTokenOutput](c.t)(c.ecr.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{}))
	host, _, _ := strings.Cut(*repo.Repository.RepositoryUri, "/")
	var transport http.RoundTripper = withPassword(*auth.AuthorizationData[0].AuthorizationToken)
	to := must[ociregistry.Interface](c.t)(ociclient.New(host, &ociclient.Options{Insecure: true, Transport: transport}))
	blob := func(kind string, data []byte) ocispec.Descriptor {
		d := ocispec.Descriptor{MediaType: kind, Digest: digest.FromBytes(data), Size: int64(len(data))}
		must[ocispec.Descriptor](c.t)(to.PushBlob(ctx, name, d, bytes.NewReader(data)))
		return d
	}
	manifest := must[[]byte](c.t)(json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: blob(ocispec.MediaTypeImageConfig, config), Layers: []ocispec.Descriptor{blob(ocispec.MediaTypeImageLayer, layer)},
	}))
	must[ocispec.Descriptor](c.t)(to.PushManifest(ctx, name, tag, manifest, ocispec.MediaTypeImageManifest))
}
