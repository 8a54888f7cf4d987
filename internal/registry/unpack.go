package registry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"

	"neargate/internal/model"
)

// unpacked is the record of an image whose layers lie unpacked on disk.
type unpacked struct {
	Digest string
	Chains []string // chain ID of each layer, lowest first
	Sizes  []int64  // bytes of the files of each layer
	Config model.ImageConfig
	// Architecture is what it is for; "": it does not say, or is of a server that
	// had only its machine's.
	Architecture string
}

// pin keeps a layer from being collected while it is unpacked.
type pin struct {
	n    int           // unpacks under way that need the layer
	turn chan struct{} // holds one value; who takes it may work on the layer
}

// noteEvery is how exact the time of the last pull is; ECR promises a day.
const noteEvery = time.Hour

// layerName is the name of a layer's directory: half of its chain ID's bits.
func layerName(chain string) string { return digest.Digest(chain).Encoded()[:32] }

// Rootfs is an unpacked image.
type Rootfs struct {
	Digest string   // of the manifest, "sha256:…"
	Layers []string // directories for overlayfs, lowest first
	Config model.ImageConfig
}

// Unpack unpacks the layers of the image that ref names for overlayfs and
// holds them until release is called, which may be done more than once. ref is
// an image of this registry or another (see ours), which cred opens; of an index
// it is the image for the architecture ("": this machine's). Layers are pulled and unpacked once, whoever
// asks for them at the same time; when ctx ends, another caller goes on. It needs
// root.
//
// Errors are *model.Error with code CannotPullContainerError when the image is
// at fault.
func (r *Registry) Unpack(ctx context.Context, ref string, cred *model.Credential, a model.Architecture) (_ Rootfs, release func(), err error) {
	on := platformOf(a)
	img, err := r.find(ctx, ref, cred, on)
	if err != nil {
		return Rootfs{}, nil, err
	}
	r.notePull(ctx, img.Image)
	if u, ok := r.rootfs.Get(img.Digest); ok && on.runs(runtime.GOOS, u.Architecture) {
		if rootfs, release, ok := r.hold(img.Digest); ok {
			return rootfs, release, nil
		}
	}
	defer r.keep(img.Digest)()
	b, err := r.open(img.Image, on)
	if err != nil {
		return Rootfs{}, nil, cannotPull("read image "+ref, err)
	}
	b.from = img.from
	rootfs, release, err := r.unpackImage(ctx, b)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return Rootfs{}, nil, fmt.Errorf("unpack image %s: %w", ref, cause)
	}
	if err != nil {
		return Rootfs{}, nil, cannotPull("unpack image "+ref, err)
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

// notePull records that a task starts from an image, on disk not more often than
// noteEvery: that costs a write, and tasks start from the same image by the dozen.
func (r *Registry) notePull(ctx context.Context, img model.Image) {
	elsewhere := img.Repository == ""
	first := elsewhere && img.PulledAt.Equal(img.PushedAt)
	if elsewhere {
		r.mu.Lock()
		r.used[img.Digest] = r.now()
		r.mu.Unlock()
	}
	switch {
	case !first && r.now().Sub(img.PulledAt) < noteEvery:
		return
	case elsewhere:
		r.noteUse(ctx, img.Digest)
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

// keep keeps what there is of an image from being collected until release is
// called.
func (r *Registry) keep(d string) (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keepLocked(d)
}

func (r *Registry) keepLocked(d string) (release func()) {
	r.holds[d]++
	return sync.OnceFunc(func() { r.release(d) })
}

// hold holds an image if it is unpacked.
func (r *Registry) hold(d string) (Rootfs, func(), bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u, ok := r.rootfs.Get(d)
	if !ok {
		return Rootfs{}, nil, false
	}
	rootfs := Rootfs{Digest: d, Config: u.Config}
	for _, c := range u.Chains {
		rootfs.Layers = append(rootfs.Layers, r.path("layers", layerName(c)))
	}
	return rootfs, r.keepLocked(d), true
}

func (r *Registry) release(d string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holds[d]--; r.holds[d] > 0 {
		return
	}
	delete(r.holds, d)
	_, kept := r.pulled.Get(d)
	if kept || !r.digestsInUse()[d] { // what was pulled may have become too much
		r.askCollect()
	}
}

// unpackImage unpacks the layers of an image, records it and holds it.
func (r *Registry) unpackImage(ctx context.Context, b bundle) (Rootfs, func(), error) {
	u := unpacked{Digest: b.image.Digest, Config: imageConfig(b.config), Architecture: b.config.Architecture}
	for _, c := range identity.ChainIDs(slices.Clone(b.config.RootFS.DiffIDs)) {
		u.Chains = append(u.Chains, c.String())
	}
	defer r.pinLayers(u.Chains)()
	var err error
	if u.Sizes, err = r.unpackLayers(ctx, b, u.Chains); err != nil {
		return Rootfs{}, nil, err
	}
	if err := r.rootfs.Put(ctx, u.Digest, u); err != nil {
		return Rootfs{}, nil, err
	}
	rootfs, release, ok := r.hold(u.Digest)
	if !ok {
		return Rootfs{}, nil, errors.New("the image was deleted meanwhile")
	}
	return rootfs, release, nil
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
