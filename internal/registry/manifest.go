package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"neargate/internal/model"
)

// Docker's media types, which Docker still pushes.
const (
	dockerManifest     = "application/vnd.docker.distribution.manifest.v2+json"
	dockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerForeignLayer = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
)

// image is the record of a manifest; its Tags stay empty, as tags are records
// of their own.
type image struct {
	model.Image
	Blobs     []string // config and layers, by digest
	Manifests []string // of an index, by digest
}

// manifest is what image manifests and indexes hold, as far as it matters here.
type manifest struct {
	SchemaVersion int                  `json:"schemaVersion"`
	MediaType     string               `json:"mediaType"`
	Config        *ocispec.Descriptor  `json:"config"`
	Layers        []ocispec.Descriptor `json:"layers"`
	Manifests     []ocispec.Descriptor `json:"manifests"`
	Subject       *ocispec.Descriptor  `json:"subject"` // read only to see that it can be
}

func isIndex(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageIndex || mediaType == dockerManifestList
}

// parseManifest reads a manifest and refuses one that is not whole. mediaType
// may be empty when the manifest names its own.
func parseManifest(data []byte, mediaType string) (manifest, error) {
	bad := func(format string, args ...any) (manifest, error) { return manifest{}, badManifest(format, args...) }
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return bad("Invalid JSON syntax: %v", err)
	}
	if mediaType == "" {
		mediaType = m.MediaType
	}
	if m.MediaType != "" && m.MediaType != mediaType {
		return bad("media type %s does not match the manifest's own %s", mediaType, m.MediaType)
	}
	m.MediaType = mediaType
	if m.SchemaVersion != 2 {
		return bad("schemaVersion %d is not supported", m.SchemaVersion)
	}
	children := m.Manifests
	switch {
	case isIndex(mediaType):
		if m.Config != nil || m.Layers != nil {
			return bad("an index has no config and no layers")
		}
	case mediaType == ocispec.MediaTypeImageManifest || mediaType == dockerManifest:
		if m.Config == nil {
			return bad("config is missing")
		}
		if m.Manifests != nil {
			return bad("an image manifest has no manifests")
		}
		children = append([]ocispec.Descriptor{*m.Config}, m.Layers...)
	default:
		return bad("media type %q is not supported", mediaType)
	}
	for _, c := range children {
		if err := checkDigest(c.Digest.String()); err != nil || c.Size < 0 {
			return bad("descriptor %q of %d bytes is invalid", c.Digest, c.Size)
		}
	}
	return m, nil
}

// badManifest is ECR's error for a manifest that is not whole or not true.
func badManifest(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidParameterException",
		"Invalid parameter at 'ImageManifest' failed to satisfy constraint: '%s'", fmt.Sprintf(format, args...))
}

// foreign reports whether a layer lies elsewhere and is not pushed.
func foreign(mediaType string) bool {
	switch mediaType {
	case dockerForeignLayer, ocispec.MediaTypeImageLayerNonDistributable, //nolint:staticcheck // deprecated, still met
		ocispec.MediaTypeImageLayerNonDistributableGzip, ocispec.MediaTypeImageLayerNonDistributableZstd: //nolint:staticcheck // as above
		return true
	}
	return false
}

// PutImage stores a manifest whose parts are all there, and points tag at it
// unless tag is empty. mediaType may be empty when the manifest states it.
// Codes: RepositoryNotFoundException, InvalidParameterException,
// LayersNotFoundException, ReferencedImagesNotFoundException,
// ImageTagAlreadyExistsException.
func (r *Registry) PutImage(ctx context.Context, repo, tagName string, data []byte, mediaType string) (model.Image, error) {
	m, err := parseManifest(data, mediaType)
	if err != nil {
		return model.Image{}, err
	}
	d := digest.FromBytes(data).String()
	r.mu.Lock()
	defer r.mu.Unlock()
	rp, err := r.Repository(repo)
	if err != nil {
		return model.Image{}, err
	}
	img, err := r.describeLocked(repo, d, m)
	if err != nil {
		return model.Image{}, err
	}
	if cur, ok := r.tags.Get(repo + ":" + tagName); ok && rp.TagMutability == "IMMUTABLE" && cur.Digest != d {
		return model.Image{}, model.Errorf(model.Conflict, "ImageTagAlreadyExistsException",
			"The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the repository is immutable.", tagName, repo)
	}
	if err := r.storeManifest(d, data); err != nil {
		return model.Image{}, err
	}
	if err := r.images.Put(ctx, repo+"@"+d, img); err != nil {
		return model.Image{}, fmt.Errorf("store image %s@%s: %w", repo, d, err)
	}
	if tagName != "" {
		if err := r.tags.Put(ctx, repo+":"+tagName, tag{tagName, d}); err != nil {
			return model.Image{}, fmt.Errorf("tag image %s:%s: %w", repo, tagName, err)
		}
	}
	return r.Image(repo, d)
}

// describeLocked returns the record of a manifest and checks that the repository
// holds all that it refers to.
func (r *Registry) describeLocked(repo, d string, m manifest) (image, error) {
	img := image{Image: model.Image{Repository: repo, Digest: d, MediaType: m.MediaType, PushedAt: r.now()}}
	if cur, ok := r.images.Get(repo + "@" + d); ok {
		img.PushedAt, img.PulledAt = cur.PushedAt, cur.PulledAt
	}
	var blobs []ocispec.Descriptor
	if m.Config != nil {
		blobs = append(blobs, *m.Config)
	}
	for _, l := range m.Layers {
		if !foreign(l.MediaType) {
			blobs = append(blobs, l)
		}
	}
	for _, b := range blobs {
		l, ok := r.links.Get(repo + "@" + b.Digest.String())
		if !ok || l.Size != b.Size {
			return image{}, model.Errorf(model.NotFound, "LayersNotFoundException",
				"Layers with digests '[%s]' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist",
				b.Digest, repo, r.cfg.Place.Account)
		}
		img.Size += b.Size
		img.Blobs = append(img.Blobs, b.Digest.String())
	}
	for _, c := range m.Manifests {
		child, ok := r.images.Get(repo + "@" + c.Digest.String())
		if !ok {
			return image{}, model.Errorf(model.NotFound, "ReferencedImagesNotFoundException",
				"Images with digests '[%s]' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist",
				c.Digest, repo, r.cfg.Place.Account)
		}
		if err := r.checkChild(c, child); err != nil {
			return image{}, err
		}
		// ECR, ImageDetail "imageSizeInBytes": of a list, the largest of its images.
		img.Size = max(img.Size, child.Size)
		img.Manifests = append(img.Manifests, c.Digest.String())
	}
	return img, nil
}

// checkChild refuses a descriptor in an index that does not fit its manifest.
func (r *Registry) checkChild(c ocispec.Descriptor, child image) error {
	if c.MediaType != "" && c.MediaType != child.MediaType {
		return badManifest("descriptor of %s has media type %s, the manifest %s", c.Digest, c.MediaType, child.MediaType)
	}
	st, err := os.Stat(r.blobPath(child.Digest))
	if err != nil {
		return fmt.Errorf("look at manifest %s: %w", child.Digest, err)
	}
	if c.Size != st.Size() {
		return badManifest("descriptor of %s has size %d, the manifest %d bytes", c.Digest, c.Size, st.Size())
	}
	return nil
}

// storeManifest writes a manifest as a blob, by way of a temporary file.
func (r *Registry) storeManifest(d string, data []byte) error {
	f, err := os.CreateTemp(r.path("tmp"), "manifest-")
	if err != nil {
		return fmt.Errorf("store manifest %s: %w", d, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = moveDurably(f.Name(), r.blobPath(d))
	}
	if err != nil {
		_ = os.Remove(f.Name()) // what stays is swept at the next start
		return fmt.Errorf("store manifest %s: %w", d, err)
	}
	return nil
}

// Manifest returns the bytes of the manifest that ref, a tag or a digest, names.
// Codes: RepositoryNotFoundException, ImageNotFoundException.
func (r *Registry) Manifest(repo, ref string) ([]byte, model.Image, error) {
	img, err := r.Image(repo, ref)
	if err != nil {
		return nil, model.Image{}, err
	}
	data, err := r.readBlob(img.Digest, maxManifestBytes)
	return data, img, err
}

// childOf returns the index of a repository refers to a manifest.
func (r *Registry) childOf(repo, d string) (index string, ok bool) {
	for _, img := range r.images.List(repo + "@") {
		if slices.Contains(img.Manifests, d) {
			return img.Digest, true
		}
	}
	return "", false
}
