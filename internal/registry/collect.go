package registry

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/opencontainers/go-digest"

	dirtree "neargate/internal/tree"
)

// orphanAge is how long a blob may lie in a repository without an image that
// uses it: long enough for any push to finish.
const orphanAge = 24 * time.Hour

// collectEvery is how often old uploads and orphans are looked for.
const collectEvery = time.Hour

// Run removes what nothing refers to any more, at once and whenever an image
// goes or is released, until ctx ends. Start it only when the tasks that
// outlived the last process have been held again: what they run from may
// belong to deleted images.
func (r *Registry) Run(ctx context.Context) error {
	defer r.remote.Close()
	ticker := time.NewTicker(collectEvery)
	defer ticker.Stop()
	for {
		r.sweepUploads()
		r.sweepFetches()
		if err := r.Expire(ctx); err != nil && ctx.Err() == nil {
			r.log.Error("expire images", "error", err)
		}
		if err := r.collect(ctx); err != nil && ctx.Err() == nil {
			r.log.Error("remove unused blobs and layers", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-r.wake:
		}
	}
}

// askCollect has Run collect soon.
func (r *Registry) askCollect() {
	select {
	case r.wake <- struct{}{}:
	default: // it has been asked already
	}
}

// collect removes unused links, blobs, unpacked images and layers, and what was
// thrown away.
func (r *Registry) collect(ctx context.Context) error {
	err := r.collectUnused(ctx)
	gone, derr := os.ReadDir(r.path("gone"))
	err = errors.Join(err, derr)
	for _, d := range gone {
		err = errors.Join(err, dirtree.Remove(ctx, r.path("gone", d.Name())))
	}
	return err
}

// throwAway moves a file or directory out of the way and leaves its removal, which may
// take long, to collect. One that is not there is no error.
func (r *Registry) throwAway(dir string) error {
	err := os.Rename(dir, r.path("gone", rand.Text()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	r.askCollect()
	return err
}

func (r *Registry) collectUnused(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.collectLinksLocked(ctx); err != nil {
		return err
	}
	if err := r.collectPulledLocked(ctx); err != nil {
		return err
	}
	if err := r.collectBlobsLocked(); err != nil {
		return err
	}
	if err := r.collectRootfsLocked(ctx); err != nil {
		return err
	}
	return r.collectLayersLocked()
}

// collectLinksLocked drops blobs that were pushed for an image that never came.
func (r *Registry) collectLinksLocked(ctx context.Context) error {
	for _, repo := range r.repos.List("") {
		used := r.usedBlobs(repo.Name)
		for _, l := range r.links.List(repo.Name + "@") {
			if used[l.Digest] || r.now().Sub(l.At) < orphanAge {
				continue
			}
			if _, err := r.links.Delete(ctx, repo.Name+"@"+l.Digest); err != nil {
				return fmt.Errorf("drop blob %s of %s: %w", l.Digest, repo.Name, err)
			}
		}
	}
	return nil
}

// collectBlobsLocked removes the files that no repository refers to.
func (r *Registry) collectBlobsLocked() error {
	used := map[string]bool{}
	for _, l := range r.links.List("") {
		used[digest.Digest(l.Digest).Encoded()] = true
	}
	for d := range r.digestsInUse() {
		used[digest.Digest(d).Encoded()] = true
	}
	for d := range r.guarded {
		used[digest.Digest(d).Encoded()] = true
	}
	for _, p := range r.pulled.List("") {
		for _, d := range p.Blobs {
			used[digest.Digest(d).Encoded()] = true
		}
	}
	files, err := os.ReadDir(r.path("blobs"))
	if err != nil {
		return err
	}
	for _, f := range files {
		if used[f.Name()] {
			continue
		}
		if err := os.Remove(r.path("blobs", f.Name())); err != nil {
			return err
		}
	}
	return nil
}

// collectRootfsLocked forgets unpacked images that are deleted and not held.
func (r *Registry) collectRootfsLocked(ctx context.Context) error {
	images := r.digestsInUse()
	for _, u := range r.rootfs.List("") {
		if images[u.Digest] || r.holds[u.Digest] > 0 {
			continue
		}
		if _, err := r.rootfs.Delete(ctx, u.Digest); err != nil {
			return fmt.Errorf("forget unpacked image %s: %w", u.Digest, err)
		}
	}
	return nil
}

// collectLayersLocked throws away the layers that no unpacked image uses.
func (r *Registry) collectLayersLocked() error {
	used := map[string]bool{"boot-id": true}
	for _, u := range r.rootfs.List("") {
		for _, chain := range u.Chains {
			used[layerName(chain)] = true
		}
	}
	for chain := range r.pins {
		used[layerName(chain)] = true
	}
	dirs, err := os.ReadDir(r.path("layers"))
	if err != nil {
		return err
	}
	for _, d := range dirs {
		if used[d.Name()] {
			continue
		}
		if err := r.throwAway(r.path("layers", d.Name())); err != nil {
			return err
		}
	}
	return nil
}
