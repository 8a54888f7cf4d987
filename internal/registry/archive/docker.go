package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// docker returns the images of manifest.json, which docker save writes in all its
// versions: with layers in directories of their own, or as blobs of a layout.
func (a *Archive) docker() ([]Image, error) {
	var saved []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := a.decode("manifest.json", &saved); err != nil {
		return nil, err
	}
	var all []Image
	for _, s := range saved {
		img := Image{Names: s.RepoTags, MediaType: ocispec.MediaTypeImageManifest}
		config, err := a.find(s.Config)
		if err != nil {
			return nil, err
		}
		m := ocispec.Manifest{
			Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: img.MediaType,
			Config: describe(config, ocispec.MediaTypeImageConfig),
		}
		img.Blobs = append(img.Blobs, config)
		for _, name := range s.Layers {
			layer, err := a.find(name)
			if err != nil {
				return nil, err
			}
			mediaType, err := layerType(layer.Path)
			if err != nil {
				return nil, err
			}
			m.Layers = append(m.Layers, describe(layer, mediaType))
			img.Blobs = append(img.Blobs, layer)
		}
		if img.Manifest, err = json.Marshal(m); err != nil {
			return nil, err
		}
		all = append(all, img)
	}
	return all, nil
}

func describe(b Blob, mediaType string) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.Digest(b.Digest), Size: b.Size}
}

// layerType is the media type of a layer by its first bytes: manifest.json has
// none.
func layerType(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head := make([]byte, 4)
	if _, err := io.ReadFull(f, head); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return ocispec.MediaTypeImageLayerGzip, nil
	case bytes.Equal(head, []byte("\x28\xb5\x2f\xfd")):
		return ocispec.MediaTypeImageLayerZstd, nil
	}
	return ocispec.MediaTypeImageLayer, nil
}
