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
}

// Resolve returns the digest of the image manifest for this machine that ref
// names: what Unpack would unpack, found without unpacking anything.
// model.PinnedImage(ref, digest) names the same image wherever its tag goes
// later, until somebody deletes the image itself: a manifest without a tag stays.
// Errors are *model.Error with code CannotPullContainerError.
func (r *Registry) Resolve(ctx context.Context, ref string) (digest string, err error) {
	img, err := r.resolve(ctx, ref)
	if err != nil {
		return "", err
	}
	if _, unpacked := r.rootfs.Get(img.Digest); unpacked {
		return img.Digest, nil
	}
	if _, err := r.open(img); err != nil {
		return "", cannotPull("read image "+ref, err)
	}
	return img.Digest, nil
}

// elsewhere says where a repository that is not here may be meant.
func (r *Registry) elsewhere(repo string) string {
	if _, err := r.Repository(repo); err == nil {
		return ""
	}
	return fmt.Sprintf(" (images are pulled from this server only: push it to a repository of %s)", r.cfg.Endpoint)
}

// resolve finds the image manifest for this machine behind a reference.
func (r *Registry) resolve(ctx context.Context, s string) (model.Image, error) {
	ref, err := r.parseReference(s)
	if err != nil {
		return model.Image{}, err
	}
	img, err := r.Image(ref.repo, ref.ref)
	if model.KindOf(err) == model.NotFound {
		// The wording of ECS's agent for an image that is not there, and what is
		// meant to be found on Docker Hub.
		return model.Image{}, model.Errorf(model.NotFound, "CannotPullContainerError",
			"pull image manifest has been retried 1 time(s): failed to resolve ref %s: %s: not found%s", s, s, r.elsewhere(ref.repo))
	}
	if err != nil || !isIndex(img.MediaType) {
		return img, err
	}
	child, err := r.choose(ctx, img)
	if err != nil {
		return model.Image{}, cannotPull("read index "+s, err)
	}
	return child, nil
}

// choose returns the image of an index for this machine: the first one that is
// declared to be, or else the first one without a platform whose config is.
func (r *Registry) choose(ctx context.Context, index model.Image) (model.Image, error) {
	data, err := r.readBlob(index.Digest, maxManifestBytes)
	if err != nil {
		return model.Image{}, err
	}
	m, err := parseManifest(data, index.MediaType)
	if err != nil {
		return model.Image{}, err
	}
	var unnamed []string
	for _, d := range m.Manifests {
		switch p := d.Platform; {
		case isIndex(d.MediaType):
		case p == nil || p.OS == "" && p.Architecture == "":
			if name := d.Digest.String(); !slices.Contains(unnamed, name) && len(unnamed) < maxUnnamed {
				unnamed = append(unnamed, name)
			}
		case runsHere(p.OS, p.Architecture):
			return r.child(index, d.Digest.String())
		}
	}
	for _, d := range unnamed {
		if ctx.Err() != nil {
			return model.Image{}, context.Cause(ctx)
		}
		img, err := r.child(index, d)
		if err != nil {
			return model.Image{}, err
		}
		if _, err := r.open(img); err == nil {
			return img, nil
		}
	}
	return model.Image{}, noPlatform("")
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

// runsHere reports whether a program for a platform runs on this machine; what
// is not named is taken for ours.
func runsHere(system, architecture string) bool {
	return (system == "" || system == runtime.GOOS) && (architecture == "" || architecture == runtime.GOARCH)
}

// noPlatform is ECS's error for an image that is for other machines.
func noPlatform(found string) error {
	return model.Errorf(model.Invalid, "CannotPullContainerError",
		"pull image manifest has been retried 1 time(s): image Manifest does not contain descriptor matching platform '%s/%s'%s",
		runtime.GOOS, runtime.GOARCH, found)
}

// open reads an image manifest and its config, and checks that they fit each
// other and this machine.
func (r *Registry) open(img model.Image) (bundle, error) {
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

// readConfig reads an image's config and checks that it fits the manifest and
// this machine.
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
	if !runsHere(c.OS, c.Architecture) {
		return ocispec.Image{}, noPlatform(fmt.Sprintf(": the image is for '%s/%s'", c.OS, c.Architecture))
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
