package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"neargate/internal/model"
)

// unpacked is the record of an image whose layers lie unpacked on disk.
type unpacked struct {
	Digest string
	Chains []string // chain ID of each layer, lowest first
	Config model.ImageConfig
}

// pin keeps a layer from being collected while it is unpacked.
type pin struct {
	n    int           // unpacks under way that need the layer
	turn chan struct{} // holds one value; who takes it may work on the layer
}

// maxConfigBytes bounds the JSON that describes how to run an image.
const maxConfigBytes = 8 << 20

// noteEvery is how exact the time of the last pull is; ECR promises a day.
const noteEvery = time.Hour

// layerName is the name of a layer's directory. Overlayfs takes its layers in
// one option of at most a page, so names are short: 128 of the 256 bits.
func layerName(chain string) string { return digest.Digest(chain).Encoded()[:32] }

// Unpack makes the layers of the image that ref names ready for overlayfs and
// holds them until release is called, which may be done more than once. ref is
// an image of this registry (see parseReference); an index gives the image for
// this machine. Layers are unpacked once, whoever asks for them at the same
// time; when ctx ends, another caller goes on. It needs the rights to make
// device nodes and to change owners.
//
// Errors are *model.Error with code CannotPullContainerError when the image is
// at fault.
func (r *Registry) Unpack(ctx context.Context, ref string) (_ model.Rootfs, release func(), err error) {
	img, err := r.resolve(ref)
	if err != nil {
		return model.Rootfs{}, nil, err
	}
	r.notePull(ctx, img)
	if rootfs, release, ok := r.hold(img.Digest); ok {
		return rootfs, release, nil
	}
	rootfs, release, err := r.unpackImage(ctx, img)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return model.Rootfs{}, nil, fmt.Errorf("unpack image %s: %w", ref, cause)
	}
	if err != nil {
		return model.Rootfs{}, nil, cannotPull("unpack image "+ref, err)
	}
	return rootfs, release, nil
}

// Hold holds an image that was unpacked earlier, by the digest in its Rootfs.
// Code: CannotPullContainerError when its layers are not there.
func (r *Registry) Hold(d string) (release func(), err error) {
	_, release, ok := r.hold(d)
	if !ok {
		return nil, model.Errorf(model.NotFound, "CannotPullContainerError", "image %s is not unpacked here", d)
	}
	return release, nil
}

func cannotPull(doing string, err error) error {
	e := model.Errorf(model.Invalid, "CannotPullContainerError", "%s: %v", doing, err)
	if errors.Is(err, os.ErrPermission) {
		e.Msg += " (unpacking images needs root)"
	}
	return e
}

// resolve finds the image manifest for this machine behind a reference.
func (r *Registry) resolve(s string) (model.Image, error) {
	ref, err := r.parseReference(s)
	if err != nil {
		return model.Image{}, err
	}
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
	index, err := parseManifest(data, img.MediaType)
	if err != nil {
		return model.Image{}, cannotPull("read index "+s, err)
	}
	for _, m := range index.Manifests {
		if p := m.Platform; p != nil && p.OS == runtime.GOOS && p.Architecture == runtime.GOARCH && !isIndex(m.MediaType) {
			return r.Image(ref.repo, m.Digest.String())
		}
	}
	return model.Image{}, noPlatform()
}

func noPlatform() error {
	return model.Errorf(model.Invalid, "CannotPullContainerError",
		"pull image manifest has been retried 1 time(s): image Manifest does not contain descriptor matching platform '%s/%s'", runtime.GOOS, runtime.GOARCH)
}

// notePull records that an image was pulled, not more often than noteEvery: a
// note costs a write to disk, and tasks start from the same image by the dozen.
func (r *Registry) notePull(ctx context.Context, img model.Image) {
	if r.now().Sub(img.PulledAt) < noteEvery {
		return
	}
	_, err := r.images.Update(ctx, img.Repository+"@"+img.Digest, func(cur image, exists bool) (image, error) {
		if !exists {
			return cur, os.ErrNotExist // deleted meanwhile
		}
		cur.PulledAt = r.now()
		return cur, nil
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) && ctx.Err() == nil {
		r.log.Warn("note pull of image", "repository", img.Repository, "digest", img.Digest, "error", err)
	}
}

// hold holds an image if it is unpacked.
func (r *Registry) hold(d string) (model.Rootfs, func(), bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u, ok := r.rootfs.Get(d)
	if !ok {
		return model.Rootfs{}, nil, false
	}
	r.holds[d]++
	rootfs := model.Rootfs{Digest: d, Config: u.Config}
	for _, c := range u.Chains {
		rootfs.Layers = append(rootfs.Layers, r.path("layers", layerName(c)))
	}
	return rootfs, sync.OnceFunc(func() { r.release(d) }), true
}

func (r *Registry) release(d string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holds[d]--; r.holds[d] > 0 {
		return
	}
	delete(r.holds, d)
	if !r.digestsInUse()[d] {
		r.askCollect()
	}
}

// unpackImage unpacks the layers of an image, bottom up, records it and holds it.
func (r *Registry) unpackImage(ctx context.Context, img model.Image) (model.Rootfs, func(), error) {
	data, err := r.readBlob(img.Digest, maxManifestBytes)
	if err != nil {
		return model.Rootfs{}, nil, err
	}
	m, err := parseManifest(data, img.MediaType)
	if err != nil {
		return model.Rootfs{}, nil, err
	}
	config, err := r.readConfig(m)
	if err != nil {
		return model.Rootfs{}, nil, err
	}
	chains := identity.ChainIDs(slices.Clone(config.RootFS.DiffIDs))
	u := unpacked{Digest: img.Digest, Config: imageConfig(config)}
	for _, c := range chains {
		u.Chains = append(u.Chains, c.String())
	}
	defer r.pinLayers(u.Chains)()
	for i, l := range m.Layers {
		if err := r.ensureLayer(ctx, l, config.RootFS.DiffIDs[i].String(), u.Chains[:i+1]); err != nil {
			return model.Rootfs{}, nil, err
		}
	}
	if err := r.rootfs.Put(ctx, u.Digest, u); err != nil {
		return model.Rootfs{}, nil, err
	}
	rootfs, release, ok := r.hold(u.Digest)
	if !ok {
		return model.Rootfs{}, nil, errors.New("the image was deleted meanwhile")
	}
	return rootfs, release, nil
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
	if len(c.RootFS.DiffIDs) != len(m.Layers) || len(m.Layers) == 0 {
		return ocispec.Image{}, fmt.Errorf("manifest has %d layers, its config %d", len(m.Layers), len(c.RootFS.DiffIDs))
	}
	for _, d := range c.RootFS.DiffIDs {
		if err := checkDigest(d.String()); err != nil {
			return ocispec.Image{}, err
		}
	}
	if c.OS != "" && c.OS != runtime.GOOS || c.Architecture != "" && c.Architecture != runtime.GOARCH {
		return ocispec.Image{}, fmt.Errorf("image is for %s/%s, this machine is %s/%s", c.OS, c.Architecture, runtime.GOOS, runtime.GOARCH)
	}
	return c, nil
}

func imageConfig(c ocispec.Image) model.ImageConfig {
	out := model.ImageConfig{
		Env: c.Config.Env, EntryPoint: c.Config.Entrypoint, Command: c.Config.Cmd,
		WorkingDir: c.Config.WorkingDir, User: c.Config.User, StopSignal: c.Config.StopSignal,
	}
	for p := range c.Config.ExposedPorts {
		out.ExposedPorts = append(out.ExposedPorts, p)
	}
	slices.Sort(out.ExposedPorts)
	return out
}

// pinLayers keeps layers from being collected until unpin is called.
func (r *Registry) pinLayers(chains []string) (unpin func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range chains {
		if r.pins[c] == nil {
			r.pins[c] = &pin{turn: make(chan struct{}, 1)}
			r.pins[c].turn <- struct{}{}
		}
		r.pins[c].n++
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, c := range chains {
			if r.pins[c].n--; r.pins[c].n == 0 {
				delete(r.pins, c)
			}
		}
	}
}

// ensureLayer unpacks the layer at the top of chains, which are pinned, unless
// that is done already. One caller at a time works on a layer.
func (r *Registry) ensureLayer(ctx context.Context, l ocispec.Descriptor, diffID string, chains []string) error {
	top := chains[len(chains)-1]
	r.mu.Lock()
	turn := r.pins[top].turn
	r.mu.Unlock()
	select {
	case <-turn:
		defer func() { turn <- struct{}{} }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	dir := r.path("layers", layerName(top))
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if foreign(l.MediaType) {
		return fmt.Errorf("layer %s lies outside the registry (%s)", l.Digest, l.MediaType)
	}
	temp, err := os.MkdirTemp(r.path("tmp"), "layer-")
	if err != nil {
		return err
	}
	var lower []string // highest first
	for _, c := range slices.Backward(chains[:len(chains)-1]) {
		lower = append(lower, r.path("layers", layerName(c)))
	}
	err = r.unpackLayer(ctx, l.Digest.String(), diffID, temp, lower)
	if err == nil {
		err = os.Rename(temp, dir)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("layer %s: %w", l.Digest, err), os.RemoveAll(temp))
	}
	return nil
}
