package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"

	"cuelabs.dev/go/oci/ociregistry/ociclient"
	"github.com/klauspost/compress/gzip"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// fileBytes is the size of the image's files. Half of each is noise, so that it
// compresses by about half, as programs do.
const fileBytes = 64 << 10

// pushImage makes the image and pushes it. It returns the bytes of its layers as
// pushed.
func pushImage(ctx context.Context, host, dir string, o options) (int64, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client, err := ociclient.New(host, &ociclient.Options{Insecure: true, Transport: transport})
	if err != nil {
		return 0, err
	}
	config := ocispec.Image{Platform: ocispec.Platform{OS: runtime.GOOS, Architecture: runtime.GOARCH}}
	m := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest}
	var total int64
	for i := range o.layers {
		l, err := makeLayer(filepath.Join(dir, "layer"), uint64(i), int64(o.megabytes)*1e6/int64(o.layers))
		if err != nil {
			return 0, err
		}
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, l.diffID)
		m.Layers = append(m.Layers, l.desc)
		total += l.desc.Size
		f, err := os.Open(l.path)
		if err != nil {
			return 0, err
		}
		_, err = client.PushBlob(ctx, "bench/image", l.desc, io.NopCloser(f)) // the client would close it
		if err := errors.Join(err, f.Close()); err != nil {
			return 0, err
		}
	}
	about, err := json.Marshal(config)
	if err != nil {
		return 0, err
	}
	m.Config = ocispec.Descriptor{MediaType: ocispec.MediaTypeImageConfig, Digest: digest.FromBytes(about), Size: int64(len(about))}
	if _, err := client.PushBlob(ctx, "bench/image", m.Config, bytes.NewReader(about)); err != nil {
		return 0, err
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		return 0, err
	}
	_, err = client.PushManifest(ctx, "bench/image", "v1", manifest, m.MediaType)
	return total, err
}

type madeLayer struct {
	path   string
	diffID digest.Digest
	desc   ocispec.Descriptor
}

// makeLayer writes a layer of about size bytes, compressed, to a file.
func makeLayer(path string, seed uint64, size int64) (madeLayer, error) {
	f, err := os.Create(path)
	if err != nil {
		return madeLayer{}, err
	}
	packed := &counter{out: f, sum: digest.SHA256.Digester()}
	z := gzip.NewWriter(packed)
	plain := sha256.New()
	w := tar.NewWriter(io.MultiWriter(z, plain))
	noise := rand.NewChaCha8([32]byte{byte(seed), 1})
	content := make([]byte, fileBytes)
	for n := 0; packed.n < size; n++ {
		if _, err := noise.Read(content[:fileBytes/2]); err != nil {
			return madeLayer{}, err
		}
		h := &tar.Header{Name: fmt.Sprintf("layer%d/dir%d/file%d", seed, n/100, n), Mode: 0o644, Size: fileBytes, Typeflag: tar.TypeReg}
		if err := w.WriteHeader(h); err != nil {
			return madeLayer{}, err
		}
		if _, err := w.Write(content); err != nil {
			return madeLayer{}, err
		}
	}
	if err := errors.Join(w.Close(), z.Close(), f.Close()); err != nil {
		return madeLayer{}, err
	}
	return madeLayer{path, digest.NewDigest(digest.SHA256, plain), ocispec.Descriptor{
		MediaType: ocispec.MediaTypeImageLayerGzip, Digest: packed.sum.Digest(), Size: packed.n,
	}}, nil
}

// counter counts and hashes what is written through it.
type counter struct {
	out io.Writer
	sum digest.Digester
	n   int64
}

// Write writes on.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.out.Write(p)
	c.sum.Hash().Write(p[:n])
	c.n += int64(n)
	return n, err
}
