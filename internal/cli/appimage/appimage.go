// Package appimage makes the container image of the workshop's app and pushes
// it to a registry. The app is the running neargate program itself, with the
// shared libraries it needs, so neither Go nor Docker has to be there. The
// same program makes the same image, byte for byte.
package appimage

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"time"

	"cuelabs.dev/go/oci/ociregistry"
	"cuelabs.dev/go/oci/ociregistry/ociclient"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Command is the hidden subcommand that runs the app inside the container.
const Command = "example-app"

// Repository is where an image goes.
type Repository struct {
	URI            string // "127.0.0.1:4566/app"
	User, Password string
	TLS            *tls.Config // nil: the registry speaks plain HTTP
}

// Push makes the image from the program at exe, pushes it under tag, and
// returns the digest of the manifest.
func Push(ctx context.Context, to Repository, tag, exe string) (string, error) {
	host, repo, ok := strings.Cut(to.URI, "/")
	if !ok {
		return "", fmt.Errorf("push image: %q is no repository URI", to.URI)
	}
	files, err := programFiles(exe)
	if err != nil {
		return "", fmt.Errorf("make image of %s: %w", exe, err)
	}
	transport := &http.Transport{ResponseHeaderTimeout: 2 * time.Minute, TLSClientConfig: to.TLS}
	defer transport.CloseIdleConnections()
	client, err := ociclient.New(host, &ociclient.Options{
		Insecure: to.TLS == nil, Transport: basicAuth{to.User, to.Password, transport},
	})
	if err != nil {
		return "", fmt.Errorf("push image to %s: %w", host, err)
	}
	d, err := push(ctx, client, repo, tag, layer{files})
	if err != nil {
		return "", fmt.Errorf("push image to %s: %w", to.URI, err)
	}
	return d, nil
}

// basicAuth adds a password to each request.
type basicAuth struct {
	user, password string
	next           http.RoundTripper
}

// RoundTrip sends the request.
func (b basicAuth) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.SetBasicAuth(b.user, b.password)
	return b.next.RoundTrip(req)
}

func push(ctx context.Context, client ociregistry.Interface, repo, tag string, l layer) (string, error) {
	sum := digest.SHA256.Digester()
	size, err := l.write(sum.Hash())
	if err != nil {
		return "", fmt.Errorf("read program: %w", err)
	}
	content := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: sum.Digest(), Size: size}
	if err := pushBlob(ctx, client, repo, content, l.open); err != nil {
		return "", err
	}
	config, err := json.Marshal(imageConfig(content.Digest))
	if err != nil {
		return "", err
	}
	about := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageConfig, Digest: digest.FromBytes(config), Size: int64(len(config))}
	err = pushBlob(ctx, client, repo, about, func() io.ReadCloser { return io.NopCloser(bytes.NewReader(config)) })
	if err != nil {
		return "", err
	}
	manifest, err := json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: about, Layers: []ocispec.Descriptor{content},
	})
	if err != nil {
		return "", err
	}
	desc, err := client.PushManifest(ctx, repo, tag, manifest, ocispec.MediaTypeImageManifest)
	return desc.Digest.String(), err
}

// pushBlob pushes a blob that the repository does not have yet.
func pushBlob(ctx context.Context, client ociregistry.Interface, repo string, desc ocispec.Descriptor, open func() io.ReadCloser) error {
	if _, err := client.ResolveBlob(ctx, repo, desc.Digest); err == nil {
		return nil
	}
	content := open()
	_, err := client.PushBlob(ctx, repo, desc, content)
	return errors.Join(err, content.Close())
}

func imageConfig(diffID digest.Digest) ocispec.Image {
	created := epoch()
	return ocispec.Image{
		Created:  &created,
		Platform: ocispec.Platform{OS: runtime.GOOS, Architecture: runtime.GOARCH},
		Config: ocispec.ImageConfig{
			Entrypoint:   []string{"/" + programName, Command},
			Env:          []string{"LD_LIBRARY_PATH=/" + libraryDir}, // no loader cache in there
			ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		},
		RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{diffID}},
	}
}
