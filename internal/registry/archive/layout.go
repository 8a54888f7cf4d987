package archive

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// The annotations that hold an image's name: containerd's, which is whole, and
// the specification's, which may be a tag alone.
const (
	containerdName = "io.containerd.image.name"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// layout returns the images of an OCI image layout.
func (a *Archive) layout(choose Choose) ([]Image, error) {
	var index ocispec.Index
	if err := a.decode("index.json", &index); err != nil {
		return nil, err
	}
	var all []Image
	for _, d := range index.Manifests {
		img, err := a.image(d, choose)
		if err != nil {
			return nil, err
		}
		all = append(all, img)
	}
	return all, nil
}

// image returns the image of a descriptor, which may be of an index.
func (a *Archive) image(d ocispec.Descriptor, choose Choose) (Image, error) {
	img := Image{MediaType: d.MediaType, Names: nameOf(d)}
	if img.Names == nil {
		img.Tag = d.Annotations[ocispec.AnnotationRefName]
	}
	var err error
	if img.Manifest, err = a.content(d.Digest.String()); err != nil {
		return img, err
	}
	if d.MediaType == ocispec.MediaTypeImageIndex || d.MediaType == dockerList {
		if img.Manifest, err = choose(img.Manifest, d.MediaType, a.content); err != nil {
			return img, err
		}
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(img.Manifest, &m); err != nil {
		return img, fmt.Errorf("read manifest %s: %w", d.Digest, err)
	}
	if m.MediaType != "" {
		img.MediaType = m.MediaType
	} else if img.MediaType == ocispec.MediaTypeImageIndex || img.MediaType == dockerList {
		img.MediaType = ocispec.MediaTypeImageManifest
	}
	for _, part := range append([]ocispec.Descriptor{m.Config}, m.Layers...) {
		b, err := a.blob(part.Digest.String())
		if err != nil {
			return img, err
		}
		if b.Size != part.Size {
			return img, fmt.Errorf("blob %s has %d bytes, its descriptor says %d", part.Digest, b.Size, part.Size)
		}
		img.Blobs = append(img.Blobs, b)
	}
	return img, nil
}

// nameOf is the name of an image, where its descriptor has a whole one.
func nameOf(d ocispec.Descriptor) []string {
	for _, key := range []string{containerdName, ocispec.AnnotationRefName} {
		if name := d.Annotations[key]; strings.ContainsAny(name, "/:") {
			return []string{name}
		}
	}
	return nil
}

// blob returns the blob of a digest, which is what it says.
func (a *Archive) blob(d string) (Blob, error) {
	if err := digest.Digest(d).Validate(); err != nil {
		return Blob{}, fmt.Errorf("digest %q: %w", d, err)
	}
	b, err := a.find("blobs/" + strings.Replace(d, ":", "/", 1))
	if err == nil && b.Digest != d {
		err = fmt.Errorf("the blob of %s has digest %s", d, b.Digest)
	}
	return b, err
}

// content reads a small blob.
func (a *Archive) content(d string) ([]byte, error) {
	if _, err := a.blob(d); err != nil {
		return nil, err
	}
	return a.read("blobs/" + strings.Replace(d, ":", "/", 1))
}
