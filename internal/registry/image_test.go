package registry

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"runtime"
	"testing"

	"cuelabs.dev/go/oci/ociregistry"
	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// blob is a layer to push: its tar and the blob that carries it.
type blob struct {
	tar, data []byte
	mediaType string
}

// entries makes a tar of headers; a header's Name and Linkname are as given,
// a regular file's content is its PAX record "content".
func entries(tb testing.TB, headers ...tar.Header) []byte {
	tb.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range headers {
		content := h.Xattrs["content"] //nolint:staticcheck // only carries the content to here
		h.Xattrs = nil                 //nolint:staticcheck // as above
		h.Size = int64(len(content))
		if err := w.WriteHeader(&h); err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

func file(name, content string) tar.Header {
	return tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg, Xattrs: map[string]string{"content": content}} //nolint:staticcheck // see entries
}

func dir(name string, mode int64) tar.Header {
	return tar.Header{Name: name, Mode: mode, Typeflag: tar.TypeDir}
}

func plain(data []byte) blob { return blob{data, data, ocispec.MediaTypeImageLayer} }

func gzipped(tb testing.TB, data []byte) blob {
	tb.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return blob{data, buf.Bytes(), ocispec.MediaTypeImageLayerGzip}
}

func zstandard(tb testing.TB, data []byte) blob {
	tb.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer w.Close()
	return blob{data, w.EncodeAll(data, nil), ocispec.MediaTypeImageLayerZstd}
}

func mustJSON(tb testing.TB, v any) []byte {
	tb.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func (f *fixture) pushBlob(tb testing.TB, repo string, data []byte, mediaType string) ocispec.Descriptor {
	tb.Helper()
	desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	if _, err := f.oci.PushBlob(tb.Context(), repo, desc, bytes.NewReader(data)); err != nil {
		tb.Fatalf("push blob: %v", err)
	}
	return desc
}

// pushImage pushes an image of the layers with a real client; change may spoil it.
func (f *fixture) pushImage(tb testing.TB, repo, tag string, layers []blob, change func(*ocispec.Image)) ocispec.Descriptor {
	tb.Helper()
	config := ocispec.Image{
		Platform: ocispec.Platform{OS: runtime.GOOS, Architecture: runtime.GOARCH},
		Config: ocispec.ImageConfig{
			Entrypoint: []string{"/app"}, Cmd: []string{"-v"}, Env: []string{"A=b"}, WorkingDir: "/srv", User: "1000",
			StopSignal: "SIGQUIT", ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		},
	}
	m := ociregistry.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest}
	for _, l := range layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, digest.FromBytes(l.tar))
		m.Layers = append(m.Layers, f.pushBlob(tb, repo, l.data, l.mediaType))
	}
	if change != nil {
		change(&config)
	}
	m.Config = f.pushBlob(tb, repo, mustJSON(tb, config), ocispec.MediaTypeImageConfig)
	data := mustJSON(tb, m)
	desc, err := f.oci.PushManifest(tb.Context(), repo, tag, data, m.MediaType)
	if err != nil {
		tb.Fatalf("push manifest: %v", err)
	}
	desc.Size = int64(len(data))
	return desc
}
