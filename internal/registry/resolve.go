package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"neargate/internal/model"
	"neargate/internal/registry/remote"
)

const (
	// maxConfigBytes bounds the JSON that describes how to run an image.
	maxConfigBytes = 8 << 20
	// maxLayers is how many lower layers fit into one mount of overlayfs.
	maxLayers = 200
	// maxUnnamed bounds the images of an index that are opened to learn their
	// platform: each costs a megabyte or more to read.
	maxUnnamed = 32
)

// dockerConfig is the media type of the configs of images that Docker pushes.
const dockerConfig = "application/vnd.docker.container.image.v1+json"

// bundle is an image manifest with its config, both checked.
type bundle struct {
	image    model.Image
	manifest manifest
	config   ocispec.Image
	from     *remote.Repository // where its layers are to be had; nil: they are here
}

// Resolve returns the digest of the image manifest for an architecture that ref
// names ("": this machine's): what Unpack would unpack, found without unpacking anything. cred opens
// the registry that ref is of; nil: what Docker's configuration has for it.
// model.PinnedImage(ref, digest) names the same image wherever its tag goes
// later, until somebody deletes the image itself: a manifest without a tag stays.
// Errors are *model.Error with code CannotPullContainerError.
func (r *Registry) Resolve(ctx context.Context, ref string, cred *model.Credential, a model.Architecture) (digest string, err error) {
	on := platformOf(a)
	img, err := r.find(ctx, ref, cred, on)
	if err != nil {
		return "", err
	}
	if u, ok := r.rootfs.Get(img.Digest); ok && on.runs(runtime.GOOS, u.Architecture) {
		return img.Digest, nil
	}
	if _, err := r.open(img.Image, on); err != nil {
		return "", cannotPull("read image "+ref, err)
	}
	return img.Digest, nil
}

// found is an image manifest that a reference names.
type found struct {
	model.Image
	from *remote.Repository // where its layers are to be had; nil: they are here
}

// find finds the image manifest for a platform behind a reference.
func (r *Registry) find(ctx context.Context, s string, cred *model.Credential, on platform) (found, error) {
	ref, here, err := r.ours(s)
	if err != nil {
		return found{}, err
	}
	if here {
		img, err := r.findHere(ctx, s, ref, on)
		return found{Image: img}, err
	}
	there, err := remote.Parse(s)
	if err != nil {
		return found{}, badReference(s)
	}
	return r.findThere(ctx, there, cred, on)
}

// findHere finds an image of this registry.
func (r *Registry) findHere(ctx context.Context, s string, ref reference, on platform) (model.Image, error) {
	img, err := r.Image(ref.repo, ref.ref)
	if model.KindOf(err) == model.NotFound {
		// The wording of ECS's agent for an image that is not there.
		return model.Image{}, model.Errorf(model.NotFound, "CannotPullContainerError",
			"pull image manifest has been retried 1 time(s): failed to resolve ref %s: %s: not found", s, s)
	}
	if err != nil || !isIndex(img.MediaType) {
		return img, err
	}
	data, err := r.readBlob(img.Digest, maxManifestBytes)
	if err != nil {
		return model.Image{}, cannotPull("read index "+s, err)
	}
	child, err := choose(ctx, choice{data, img.MediaType, on}, func(d string) (model.Image, error) { return r.child(img, d) },
		func(img model.Image) bool { return r.fits(img, on) })
	if err != nil {
		return model.Image{}, cannotPull("read index "+s, err)
	}
	return child, nil
}

// fits reports whether an image is for a platform by its config.
func (r *Registry) fits(img model.Image, on platform) bool {
	_, err := r.open(img, on)
	return err == nil
}

// choice is an index, and the platform that an image of it is wanted for.
type choice struct {
	data      []byte
	mediaType string
	on        platform
}

// choose returns the image of an index for the platform: the first one that is
// declared to be, or else the first one without a platform whose config fits.
// get finds an image by its digest.
func choose[T any](ctx context.Context, in choice, get func(digest string) (T, error), fits func(T) bool) (T, error) {
	var none T
	m, err := parseManifest(in.data, in.mediaType)
	if err != nil {
		return none, err
	}
	var unnamed []string
	for _, d := range m.Manifests {
		switch p := d.Platform; {
		case isIndex(d.MediaType):
		case p == nil || p.OS == "" && p.Architecture == "":
			if name := d.Digest.String(); !slices.Contains(unnamed, name) && len(unnamed) < maxUnnamed {
				unnamed = append(unnamed, name)
			}
		case in.on.runs(p.OS, p.Architecture):
			return get(d.Digest.String())
		}
	}
	for _, d := range unnamed {
		if ctx.Err() != nil {
			return none, context.Cause(ctx)
		}
		img, err := get(d)
		if err != nil {
			return none, err
		}
		if fits(img) {
			return img, nil
		}
	}
	return none, in.on.none("")
}

// child returns the image of an index that a descriptor names, and an error
// when it is no image, whatever the descriptor claims.
func (r *Registry) child(index model.Image, d string) (model.Image, error) {
	img, err := r.Image(index.Repository, d)
	if err == nil && isIndex(img.MediaType) {
		err = fmt.Errorf("manifest %s is declared an image manifest and is an index", d)
	}
	return img, err
}

// open reads an image manifest and its config, and checks that they fit each
// other and a platform.
func (r *Registry) open(img model.Image, on platform) (bundle, error) {
	b := bundle{image: img}
	data, err := r.readBlob(img.Digest, maxManifestBytes)
	if err != nil {
		return b, err
	}
	if b.manifest, err = parseManifest(data, img.MediaType); err != nil {
		return b, err
	}
	if b.manifest.Config == nil {
		return b, fmt.Errorf("manifest %s is an index, not an image manifest", img.Digest)
	}
	if err := checkLayers(b.manifest); err != nil {
		return b, err
	}
	b.config, err = r.readConfig(b.manifest)
	if c := b.config; err == nil && !on.runs(c.OS, c.Architecture) {
		err = on.none(fmt.Sprintf(": the image is for '%s/%s'", c.OS, c.Architecture))
	}
	return b, err
}

// checkLayers refuses what is pushed like an image and holds no file systems:
// charts, signatures, attestations.
func checkLayers(m manifest) error {
	switch t := m.Config.MediaType; t {
	case "", ocispec.MediaTypeImageConfig, dockerConfig:
	default:
		return fmt.Errorf("config of media type %q: this is not a container image", t)
	}
	if len(m.Layers) == 0 {
		return errors.New("the image has no layers")
	}
	if len(m.Layers) > maxLayers {
		return fmt.Errorf("the image has %d layers, more than the limit of %d", len(m.Layers), maxLayers)
	}
	for _, l := range m.Layers {
		if foreign(l.MediaType) {
			return fmt.Errorf("layer %s lies outside the registry (%s)", l.Digest, l.MediaType)
		}
		if !isLayer(l.MediaType) {
			return fmt.Errorf("layer %s of media type %q holds no files", l.Digest, l.MediaType)
		}
	}
	return nil
}

// isLayer reports whether a media type is that of files in a tar; how they are
// compressed shows in their first bytes.
func isLayer(mediaType string) bool {
	base, _, _ := strings.Cut(mediaType, "+")
	switch base {
	case "", ocispec.MediaTypeImageLayer, "application/vnd.docker.image.rootfs.diff.tar",
		"application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.docker.image.rootfs.diff.tar.zstd":
		return !strings.HasSuffix(mediaType, "encrypted")
	}
	return false
}

// readConfig reads an image's config and checks that it fits the manifest.
func (r *Registry) readConfig(m manifest) (ocispec.Image, error) {
	data, err := r.readBlob(m.Config.Digest.String(), maxConfigBytes)
	if err != nil {
		return ocispec.Image{}, err
	}
	var c ocispec.Image
	if err := json.Unmarshal(data, &c); err != nil {
		return ocispec.Image{}, fmt.Errorf("read image config %s: %w", m.Config.Digest, err)
	}
	if len(c.RootFS.DiffIDs) != len(m.Layers) {
		return ocispec.Image{}, fmt.Errorf("manifest has %d layers, its config %d", len(m.Layers), len(c.RootFS.DiffIDs))
	}
	for _, d := range c.RootFS.DiffIDs {
		if err := checkDigest(d.String()); err != nil {
			return ocispec.Image{}, err
		}
	}
	return c, nil
}

// imageConfig is what a runtime needs of an image's config.
func imageConfig(c ocispec.Image) model.ImageConfig {
	out := model.ImageConfig{
		Env: c.Config.Env, EntryPoint: c.Config.Entrypoint, Command: c.Config.Cmd,
		WorkingDir: c.Config.WorkingDir, User: c.Config.User, StopSignal: c.Config.StopSignal,
	}
	for p := range c.Config.ExposedPorts {
		out.ExposedPorts = append(out.ExposedPorts, p)
	}
	slices.Sort(out.ExposedPorts)
	out.Volumes = slices.Sorted(maps.Keys(c.Config.Volumes))
	return out
}

// cannotPull is the error of an image that cannot be run, with what was being
// done, unless err is in ECS's words already.
func cannotPull(doing string, err error) error {
	if e, ok := errors.AsType[*model.Error](err); ok {
		if e.Code == "CannotPullContainerError" {
			return err
		}
		err = errors.New(e.Msg) // without the code, which is of another API
	}
	e := model.Errorf(model.Invalid, "CannotPullContainerError", "%s: %v", doing, err)
	if errors.Is(err, os.ErrPermission) {
		e.Msg += " (unpacking images needs root)"
	}
	return e
}
