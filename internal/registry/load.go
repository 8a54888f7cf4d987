package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"neargate/internal/model"
	"neargate/internal/registry/archive"
	"neargate/internal/registry/remote"
)

// Load takes in the images of an archive, under the names that it has or the one
// that is given, from where no registry is asked what they name. All of an
// archive is refused when one of its images is for none of Fargate's architectures.
// InvalidParameterException.
func (r *Registry) Load(ctx context.Context, in io.Reader, as string) ([]PulledImage, error) {
	dir, err := os.MkdirTemp(r.path("tmp"), "load-")
	if err != nil {
		return nil, fmt.Errorf("load images: %w", err)
	}
	defer func() { _ = r.throwAway(dir) }()
	a, err := archive.Read(in, dir, func(size int64) error {
		if size > r.cfg.MaxBlobBytes {
			return fmt.Errorf("larger than the limit of %d bytes", r.cfg.MaxBlobBytes)
		}
		return r.hasRoom(size)
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, notLoaded(err)
	}
	images, err := a.Images(chooseSaved(ctx))
	if err == nil {
		err = r.nameLoaded(images, as)
	}
	if err != nil {
		return nil, notLoaded(err)
	}
	var all []PulledImage
	for _, img := range images {
		p, names, err := r.keepLoaded(ctx, img)
		if err != nil {
			return all, notLoaded(err)
		}
		all = append(all, r.describe(p, names))
	}
	return all, nil
}

// nameless means that an image of an archive has no name, or only a tag.
type nameless struct{ tag string }

func (n *nameless) Error() string {
	if n.tag == "" {
		return "an image of the archive has no name: name it (--name)"
	}
	return fmt.Sprintf("an image of the archive has no name, only the tag %s: name it (--name)", n.tag)
}

// notLoaded is the error for an archive that cannot be taken in.
func notLoaded(err error) error {
	if n, ok := errors.AsType[*nameless](err); ok {
		return &model.Error{Kind: model.Invalid, Code: ImageNameMissing, Msg: fmt.Sprintf("load images: %v", n), Err: n}
	}
	if e, ok := errors.AsType[*model.Error](err); ok {
		err = errors.New(e.Msg)
	}
	return model.Errorf(model.Invalid, "InvalidParameterException", "load images: %v", err)
}

// chooseSaved picks an image of an index in an archive: the one for this machine,
// or else for another architecture.
func chooseSaved(ctx context.Context) archive.Choose {
	return func(data []byte, mediaType string, get func(string) ([]byte, error)) (manifest []byte, err error) {
		var errs []error
		for _, a := range architectures() {
			manifest, err = choose(ctx, choice{data, mediaType, platformOf(a)}, get, func(manifest []byte) bool {
				config, err := savedConfig(manifest, get)
				return err == nil && platformOf(a).runs(config.OS, config.Architecture)
			})
			if err == nil {
				return manifest, nil
			}
			errs = append(errs, err)
		}
		return nil, errs[0] // for this machine
	}
}

// savedConfig returns the config of an image in an archive.
func savedConfig(manifest []byte, get func(digest string) ([]byte, error)) (config ocispec.Image, err error) {
	m, err := parseManifest(manifest, "")
	if err == nil && m.Config == nil {
		err = errors.New("an index has no config")
	}
	if err != nil {
		return config, err
	}
	data, err := get(m.Config.Digest.String())
	if err != nil {
		return config, err
	}
	return config, json.Unmarshal(data, &config)
}

// nameLoaded makes the names of loaded images full ones.
func (r *Registry) nameLoaded(images []archive.Image, as string) error {
	if len(images) == 0 {
		return errors.New("the archive has no image")
	}
	if as != "" && len(images) > 1 {
		return fmt.Errorf("the archive has %d images: one name is not enough", len(images))
	}
	for i := range images {
		names := images[i].Names
		if as != "" {
			names = []string{as}
		}
		if len(names) == 0 {
			return &nameless{images[i].Tag}
		}
		images[i].Names = nil
		for _, s := range names {
			ref, err := remote.Parse(s)
			if err != nil || ref.Digest != "" {
				return fmt.Errorf("invalid name %q", s)
			}
			if _, here, _ := r.ours(s); here {
				return fmt.Errorf("%s is a name in this server's own registry: push it there, or load it under another name (--name)", s)
			}
			images[i].Names = append(images[i].Names, ref.Tagged())
		}
	}
	return nil
}

// keepLoaded makes an archive's image one of the registry's, under its names.
func (r *Registry) keepLoaded(ctx context.Context, img archive.Image) (pulled, []name, error) {
	m, err := parseManifest(img.Manifest, img.MediaType)
	if err == nil && m.Config == nil {
		err = errors.New("an index within an index")
	}
	if err == nil {
		err = checkLayers(m)
	}
	if err != nil {
		return pulled{}, nil, err
	}
	p := pulled{Digest: digest.FromBytes(img.Manifest).String(), MediaType: m.MediaType, PulledAt: r.now()}
	p.UsedAt = p.PulledAt
	for _, b := range img.Blobs {
		p.Size += b.Size
		p.Blobs = append(p.Blobs, b.Digest)
	}
	defer r.guard(append(p.Blobs, p.Digest))()
	for _, b := range img.Blobs {
		// The same blob may be in the archive's images twice.
		if err := syncAndMove(b.Path, r.blobPath(b.Digest)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return pulled{}, nil, err
		}
	}
	config, err := r.readConfig(m)
	if err != nil {
		return pulled{}, nil, err
	}
	on := platformOf("")
	if a := model.Architecture(config.Architecture); slices.Contains(architectures(), a) {
		on = platformOf(a)
	}
	if err := r.record(ctx, p, img.Manifest, on); err != nil {
		return pulled{}, nil, err
	}
	var names []name
	for _, n := range img.Names {
		names = append(names, name{Name: n, Architecture: on.foreign(), Digest: p.Digest, Loaded: true})
		if err := r.noteName(ctx, names[len(names)-1]); err != nil {
			return pulled{}, nil, err
		}
	}
	return p, names, nil
}

// syncAndMove moves a file durably that has been written and not synced.
func syncAndMove(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return moveDurably(from, to)
}
