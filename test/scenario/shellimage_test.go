package scenario_test

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"cuelabs.dev/go/oci/ociregistry"
	"cuelabs.dev/go/oci/ociregistry/ociclient"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// pushShell pushes an image with a shell and what belongs to it, and returns its
// name. It skips the test where there is no busybox.
func (c *client) pushShell() string {
	c.t.Helper()
	box, err := exec.LookPath("busybox")
	if err != nil {
		c.t.Skip("needs busybox: apt-get install busybox-static")
	}
	layer := shellLayer(c, box)
	ctx := c.t.Context()
	repo := must[*ecr.CreateRepositoryOutput](c.t)(c.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String("shell")}))
	auth := must[*ecr.GetAuthorizationTokenOutput](c.t)(c.ecr.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{}))
	host, name, _ := strings.Cut(*repo.Repository.RepositoryUri, "/")
	registry := must[ociregistry.Interface](c.t)(ociclient.New(host, &ociclient.Options{Insecure: true, Transport: withPassword(*auth.AuthorizationData[0].AuthorizationToken)}))
	blob := func(kind string, data []byte) ocispec.Descriptor {
		d := ocispec.Descriptor{MediaType: kind, Digest: digest.FromBytes(data), Size: int64(len(data))}
		must[ocispec.Descriptor](c.t)(registry.PushBlob(ctx, name, d, bytes.NewReader(data)))
		return d
	}
	content := blob(ocispec.MediaTypeImageLayer, layer)
	config := must[[]byte](c.t)(json.Marshal(ocispec.Image{
		Platform: ocispec.Platform{OS: runtime.GOOS, Architecture: runtime.GOARCH},
		Config:   ocispec.ImageConfig{Cmd: []string{"/bin/sleep", "1000000"}, User: "web", WorkingDir: "/tmp"},
		RootFS:   ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{content.Digest}},
	}))
	manifest := must[[]byte](c.t)(json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: blob(ocispec.MediaTypeImageConfig, config), Layers: []ocispec.Descriptor{content},
	}))
	must[ocispec.Descriptor](c.t)(registry.PushManifest(ctx, name, "latest", manifest, ocispec.MediaTypeImageManifest))
	return *repo.Repository.RepositoryUri + ":latest"
}

// withPassword sends each request with "USER:PASSWORD" in base 64.
type withPassword string

// RoundTrip implements http.RoundTripper.
func (p withPassword) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := base64.StdEncoding.DecodeString(string(p))
	if err != nil {
		return nil, err
	}
	user, password, _ := strings.Cut(string(token), ":")
	req = req.Clone(req.Context())
	req.SetBasicAuth(user, password)
	return http.DefaultTransport.RoundTrip(req)
}

// shellLayer is busybox under all its names.
func shellLayer(c *client, box string) []byte {
	c.t.Helper()
	program := must[[]byte](c.t)(os.ReadFile(box))
	names := must[[]byte](c.t)(exec.Command(box, "--list").Output())
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	add := func(h tar.Header, data []byte) {
		h.Size = int64(len(data))
		if err := w.WriteHeader(&h); err != nil {
			c.t.Fatal(err)
		}
		must[int](c.t)(w.Write(data))
	}
	for _, dir := range []string{"bin/", "etc/", "tmp/", "root/"} {
		mode := int64(0o755)
		if dir == "tmp/" {
			mode = 0o1777
		}
		add(tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: mode}, nil)
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: "bin/busybox", Mode: 0o755}, program)
	for name := range strings.FieldsSeq(string(names)) {
		if name != "busybox" {
			add(tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: "busybox", Mode: 0o777}, nil)
		}
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644}, []byte("root:x:0:0::/root:/bin/sh\nweb:x:101:102::/tmp:/bin/sh\n"))
	if err := w.Close(); err != nil {
		c.t.Fatal(err)
	}
	return out.Bytes()
}
