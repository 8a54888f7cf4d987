package registry

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// collectPulledLocked drops the images of other registries that were used
// longest ago, while all of them take more room than they may. Those in use
// stay: that a task runs, that a deployment names, or that came from a file.
func (r *Registry) collectPulledLocked(ctx context.Context) error {
	all := r.pulled.List("")
	sizes := r.sizes(all)
	total := sizes.total()
	if total <= r.cfg.MaxPulledBytes {
		return nil
	}
	named, names := r.cfg.Named(), r.namesByDigest()
	slices.SortFunc(all, func(a, b pulled) int {
		return cmp.Or(r.usedAtLocked(a).Compare(r.usedAtLocked(b)), cmp.Compare(a.Digest, b.Digest))
	})
	for _, p := range all {
		if total <= r.cfg.MaxPulledBytes {
			return nil
		}
		if isLoaded(names[p.Digest]) || named[p.Digest] || r.holds[p.Digest] > 0 {
			continue
		}
		if err := r.dropPulledLocked(ctx, p.Digest); err != nil {
			return err
		}
		total -= sizes.drop(p)
		r.log.Info("removed a pulled image that is not in use", "digest", p.Digest, "last_used", r.usedAtLocked(p))
	}
	r.log.Warn("images in use take more room than pulled images may", "bytes", total, "limit", r.cfg.MaxPulledBytes)
	return nil
}

// dropPulledLocked forgets an image of another registry and its names. Its files
// are collected.
func (r *Registry) dropPulledLocked(ctx context.Context, d string) error {
	for _, n := range r.names.List("") {
		if n.Digest != d {
			continue
		}
		if _, err := r.names.Delete(ctx, n.key()); err != nil {
			return fmt.Errorf("forget image name %s: %w", n.Name, err)
		}
	}
	if _, err := r.pulled.Delete(ctx, d); err != nil {
		return fmt.Errorf("forget image %s: %w", d, err)
	}
	delete(r.used, d)
	r.askCollect()
	return nil
}

// sizes is how much room parts of images take, and how many images have each.
type sizes struct {
	parts  map[string]int64 // by blob digest or layer
	users  map[string]int
	layers map[string][]string // of an unpacked image, by its digest
}

// sizes measures images by what their manifests and unpacked layers say.
func (r *Registry) sizes(all []pulled) sizes {
	s := sizes{parts: map[string]int64{}, users: map[string]int{}, layers: map[string][]string{}}
	for _, p := range all {
		s.parts[p.Digest] = p.Size // its blobs, most of which no other image has
		s.users[p.Digest]++
		u, ok := r.rootfs.Get(p.Digest)
		if !ok {
			continue
		}
		s.layers[p.Digest] = u.Chains
		for i, c := range u.Chains {
			s.users[c]++
			if i < len(u.Sizes) {
				s.parts[c] = u.Sizes[i]
			}
		}
	}
	return s
}

func (s sizes) total() int64 {
	var n int64
	for _, b := range s.parts {
		n += b
	}
	return n
}

// drop takes an image out and returns how much room that makes.
func (s sizes) drop(p pulled) int64 {
	var n int64
	for _, part := range append([]string{p.Digest}, s.layers[p.Digest]...) {
		if s.users[part]--; s.users[part] == 0 {
			n += s.parts[part]
		}
	}
	return n
}
