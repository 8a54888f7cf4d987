package registry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"neargate/internal/model"
	"neargate/internal/registry/remote"
)

// pulled is the record of an image of another registry: its manifest and config
// are here, its layers as far as they have been needed.
type pulled struct {
	Digest           string
	MediaType        string
	Size             int64    // compressed bytes of its layers and config
	Blobs            []string // config and layers, by digest
	PulledAt, UsedAt time.Time
}

func (p pulled) image() model.Image {
	return model.Image{Digest: p.Digest, MediaType: p.MediaType, Size: p.Size, PushedAt: p.PulledAt, PulledAt: p.UsedAt}
}

// name is what a full name, docker.io/library/nginx:latest, named last, for one
// architecture.
type name struct {
	Name, Digest string
	Architecture model.Architecture // "": this machine's
	// Tagged is the digest that the registry has for it: of the image, or of the
	// index that it was chosen of; "" for a loaded one.
	Tagged string
	// Loaded says that a file named it so: no registry is asked what it names, and
	// it goes only by order.
	Loaded bool
}

// key is under what the name is kept.
func (n name) key() string { return nameKey(n.Name, n.Architecture) }

// nameKey is under what a full name is kept for an architecture. No name has a
// space.
func nameKey(full string, a model.Architecture) string {
	if a == "" {
		return full
	}
	return full + " " + string(a)
}

// findThere finds an image of another registry: one that is here already by its
// digest, or was loaded under its name; or else what the registry says.
func (r *Registry) findThere(ctx context.Context, ref remote.Reference, cred *model.Credential, on platform) (found, error) {
	from := r.remote.Repository(ref, cred)
	d := ref.Digest
	if n, ok := r.names.Get(nameKey(ref.Tagged(), on.foreign())); d == "" && ok && (n.Loaded || n.Tagged != "" && from.Digest(ctx, ref.Tag) == n.Tagged) {
		d = n.Digest
	} else if d == "" && !ok && r.wasLoaded(ref.Tagged()) {
		return found{}, on.none(": the image that was loaded is for another")
	}
	if p, ok := r.pulled.Get(d); ok {
		_, err := r.open(p.image(), on)
		if err == nil {
			return found{p.image(), from}, nil
		}
		if e, ok := errors.AsType[*model.Error](err); ok {
			return found{}, e // it is whole, and for another platform
		}
		// Its files are damaged: the registry has them.
	}
	want := ref.Digest
	if want == "" {
		want = ref.Tag
	}
	m, err := from.Manifest(ctx, want)
	if err != nil {
		return found{}, err
	}
	p, err := r.pullManifest(ctx, from, m, on)
	if err != nil {
		return found{}, cannotPull("pull image manifest has been retried 1 time(s): failed to resolve ref "+ref.String(), err)
	}
	if ref.Digest == "" {
		err = r.noteName(ctx, name{Name: ref.Tagged(), Architecture: on.foreign(), Digest: p.Digest, Tagged: m.Digest})
	}
	return found{p.image(), from}, err
}

// wasLoaded reports whether an image was loaded under a full name, for whichever
// architecture: no registry is asked what it names.
func (r *Registry) wasLoaded(full string) bool {
	return slices.ContainsFunc(architectures(), func(a model.Architecture) bool {
		n, ok := r.names.Get(nameKey(full, a))
		return ok && n.Loaded
	})
}

// pullManifest takes in an image manifest, or the one of an index for a platform,
// with its config.
func (r *Registry) pullManifest(ctx context.Context, from *remote.Repository, m remote.Manifest, on platform) (pulled, error) {
	if !isIndex(m.MediaType) {
		return r.pullImage(ctx, from, m, on)
	}
	get := func(d string) (remote.Manifest, error) {
		child, err := from.Manifest(ctx, d)
		if err == nil && isIndex(child.MediaType) {
			err = fmt.Errorf("manifest %s is declared an image manifest and is an index", d)
		}
		return child, err
	}
	var p pulled
	fits := func(child remote.Manifest) bool {
		_, err := r.pullImage(ctx, from, child, on)
		return err == nil
	}
	child, err := choose(ctx, choice{m.Data, m.MediaType, on}, get, fits)
	if err == nil {
		p, err = r.pullImage(ctx, from, child, on)
	}
	return p, err
}

// pullImage takes in an image manifest and its config, and records the image if
// it is one for the platform.
func (r *Registry) pullImage(ctx context.Context, from *remote.Repository, m remote.Manifest, on platform) (pulled, error) {
	if p, ok := r.pulled.Get(m.Digest); ok && r.fits(p.image(), on) {
		return p, nil
	}
	parsed, err := parseManifest(m.Data, m.MediaType)
	if err != nil {
		return pulled{}, err
	}
	if err := checkLayers(parsed); err != nil {
		return pulled{}, err
	}
	if parsed.Config.Size > maxConfigBytes {
		return pulled{}, fmt.Errorf("the config is larger than %d bytes", maxConfigBytes)
	}
	p := pulled{Digest: m.Digest, MediaType: m.MediaType, PulledAt: r.now()}
	p.UsedAt = p.PulledAt
	for _, b := range append(parsed.Layers, *parsed.Config) {
		if b.Size > r.cfg.MaxBlobBytes {
			return pulled{}, fmt.Errorf("blob %s of %d bytes is larger than the limit of %d", b.Digest, b.Size, r.cfg.MaxBlobBytes)
		}
		p.Size += b.Size
		p.Blobs = append(p.Blobs, b.Digest.String())
	}
	defer r.guard(append(p.Blobs, p.Digest))()
	if err := r.fetch(ctx, from, parsed.Config.Digest.String(), parsed.Config.Size); err != nil {
		return pulled{}, err
	}
	return p, r.record(ctx, p, m.Data, on)
}

// guard keeps blobs from being collected before an image is recorded that has
// them, until release is called.
func (r *Registry) guard(blobs []string) (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range blobs {
		r.guarded[d]++
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, d := range blobs {
			if r.guarded[d]--; r.guarded[d] == 0 {
				delete(r.guarded, d)
			}
		}
	}
}

// record records an image whose manifest is data, if it fits its config, which
// is here, and a platform. Its blobs are guarded.
func (r *Registry) record(ctx context.Context, p pulled, data []byte, on platform) error {
	if err := r.storeManifest(p.Digest, data); err != nil {
		return err
	}
	if _, err := r.open(p.image(), on); err != nil {
		return err
	}
	return r.pulled.Put(ctx, p.Digest, p)
}

// noteName records what a name names now.
func (r *Registry) noteName(ctx context.Context, n name) error {
	cur, ok := r.names.Get(n.key())
	if ok && cur == n {
		return nil
	}
	return r.names.Put(ctx, n.key(), n)
}

// usedAtLocked is when a task last started from an image of another registry; when it
// came, where none has.
func (r *Registry) usedAtLocked(p pulled) time.Time {
	if at := r.used[p.Digest]; at.After(p.UsedAt) {
		return at
	}
	return p.UsedAt
}

// noteUse records that a task starts from an image of another registry.
func (r *Registry) noteUse(ctx context.Context, d string) {
	_, err := r.pulled.Update(ctx, d, func(cur pulled, exists bool) (pulled, error) {
		if !exists {
			return cur, os.ErrNotExist // removed meanwhile
		}
		cur.UsedAt = r.now()
		return cur, nil
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) && ctx.Err() == nil {
		r.log.Warn("note use of image", "digest", d, "error", err)
	}
}
