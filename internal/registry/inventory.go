package registry

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"neargate/internal/model"
	"neargate/internal/registry/remote"
)

// PulledImage is an image that came from another registry or a file.
type PulledImage struct {
	Names  []string `json:"names"` // in full: docker.io/library/nginx:latest
	Digest string   `json:"digest"`
	// Architecture is another than this machine's, for which it was pulled.
	Architecture model.Architecture `json:"architecture,omitempty"`
	Bytes        int64              `json:"bytes"` // compressed, and unpacked as far as it is, with layers that others have too
	Loaded       bool               `json:"loaded"`
	InUse        string             `json:"in_use,omitempty"` // by what; "": by nothing
	PulledAt     time.Time          `json:"pulled_at"`
	UsedAt       time.Time          `json:"used_at"` // PulledAt: never yet
}

// Pulled returns the images that came from elsewhere, the last used first.
func (r *Registry) Pulled() []PulledImage {
	r.mu.Lock()
	defer r.mu.Unlock()
	named, names := r.cfg.Named(), r.namesByDigest()
	all := []PulledImage{}
	for _, p := range r.pulled.List("") {
		img := r.describe(p, names[p.Digest])
		img.InUse = r.usersLocked(p.Digest, named)
		all = append(all, img)
	}
	slices.SortFunc(all, func(a, b PulledImage) int {
		return cmp.Or(b.UsedAt.Compare(a.UsedAt), cmp.Compare(a.Digest, b.Digest))
	})
	return all
}

func (r *Registry) describe(p pulled, names []name) PulledImage {
	img := PulledImage{
		Names: []string{}, Digest: p.Digest, Bytes: r.sizes([]pulled{p}).total(),
		Loaded: isLoaded(names), PulledAt: p.PulledAt, UsedAt: r.usedAtLocked(p),
	}
	for _, n := range names {
		if !slices.Contains(img.Names, n.Name) { // it may be for several architectures
			img.Names = append(img.Names, n.Name)
		}
		if n.Architecture != "" {
			img.Architecture = n.Architecture
		}
	}
	return img
}

// namesByDigest are the names of the images that came from elsewhere.
func (r *Registry) namesByDigest() map[string][]name {
	names := map[string][]name{}
	for _, n := range r.names.List("") {
		names[n.Digest] = append(names[n.Digest], n)
	}
	return names
}

// isLoaded reports whether an image has one of its names from a file.
func isLoaded(names []name) bool {
	return slices.ContainsFunc(names, func(n name) bool { return n.Loaded })
}

// usersLocked says what keeps an image: "" is nothing.
func (r *Registry) usersLocked(d string, named map[string]bool) string {
	switch {
	case r.holds[d] > 0:
		return "a task runs it"
	case named[d]:
		return "a service's deployment names it"
	}
	return ""
}

// RemovePulled removes what s names of the images that came from elsewhere: a
// name, and with the last one the image; or by digest, of which the beginning is
// enough, an image with all its names. ImageNotFoundException, ImageInUse.
func (r *Registry) RemovePulled(ctx context.Context, s string) (PulledImage, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, one, err := r.findPulled(s)
	if err != nil {
		return PulledImage{}, err
	}
	names := r.namesByDigest()[p.Digest]
	if one.Name != "" && len(names) > 1 {
		_, err := r.names.Delete(ctx, one.key())
		return r.describe(p, []name{one}), err
	}
	img := r.describe(p, names)
	if why := r.usersLocked(p.Digest, r.cfg.Named()); why != "" {
		return PulledImage{}, model.Errorf(model.Conflict, "ImageInUse", "image %s is in use: %s", s, why)
	}
	return img, r.dropPulledLocked(ctx, p.Digest)
}

// minDigest is how much of a digest names an image.
const minDigest = 6

// findPulled finds an image by a name, which it returns, or by its digest. A name
// is this machine's image before it is others'.
func (r *Registry) findPulled(s string) (p pulled, one name, err error) {
	if hex := strings.TrimPrefix(s, "sha256:"); len(hex) >= minDigest && strings.Trim(hex, "0123456789abcdef") == "" {
		all := r.pulled.List("sha256:" + hex)
		if len(all) == 1 {
			return all[0], name{}, nil
		}
		if len(all) > 1 {
			return p, name{}, model.Errorf(model.Invalid, "InvalidParameterException", "%d images have digests that begin with %s", len(all), s)
		}
	}
	if ref, err := remote.Parse(s); err == nil && ref.Digest == "" {
		for _, a := range architectures() {
			if n, ok := r.names.Get(nameKey(ref.Tagged(), a)); ok {
				p, _ = r.pulled.Get(n.Digest)
				p.Digest = n.Digest
				return p, n, nil
			}
		}
	}
	return p, name{}, model.Errorf(model.NotFound, "ImageNotFoundException", "there is no pulled or loaded image %s", s)
}

// PrunePulled removes the images that came from elsewhere and are not in use;
// those from files only with all. It returns what is gone.
func (r *Registry) PrunePulled(ctx context.Context, all bool) ([]PulledImage, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	named, names := r.cfg.Named(), r.namesByDigest()
	gone := []PulledImage{}
	for _, p := range r.pulled.List("") {
		img := r.describe(p, names[p.Digest])
		if img.Loaded && !all || r.usersLocked(p.Digest, named) != "" {
			continue
		}
		if err := r.dropPulledLocked(ctx, p.Digest); err != nil {
			return gone, fmt.Errorf("prune images: %w", err)
		}
		gone = append(gone, img)
	}
	return gone, nil
}
