package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"runtime/debug"
	"slices"

	"golang.org/x/sync/errgroup"

	"neargate/internal/registry/layer"
	"neargate/internal/registry/remote"
)

const (
	// maxEntries bounds the files of one layer.
	maxEntries = 1_000_000
	// freeBytes is what unpacking leaves free on the disk.
	freeBytes = 1 << 30
)

// step is one layer of an image to be unpacked.
type step struct {
	blob, diffID string
	size         int64              // of the blob
	from         *remote.Repository // where the blob is to be had; nil: it is here
	chains       []string           // of the layers up to this one, lowest first
	below        <-chan struct{}    // closed when the layer beneath is there
	done         chan struct{}      // closed when this one is
}

// unpackLayers unpacks the layers of an image, whose chains are pinned, and
// returns their sizes. They are pulled and unpacked side by side and completed
// from the lowest up.
func (r *Registry) unpackLayers(ctx context.Context, b bundle, chains []string) ([]int64, error) {
	sizes := make([]int64, len(chains))
	below := make(chan struct{})
	close(below)
	group, ctx := errgroup.WithContext(ctx)
	for i, l := range b.manifest.Layers {
		s := step{
			blob: l.Digest.String(), diffID: b.config.RootFS.DiffIDs[i].String(), size: l.Size, from: b.from,
			chains: chains[:i+1], below: below, done: make(chan struct{}),
		}
		below = s.done
		group.Go(func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					r.log.Error("panic while unpacking a layer", "layer", s.blob, "panic", p, "stack", string(debug.Stack()))
					err = fmt.Errorf("layer %s: internal error: %v", s.blob, p)
				}
			}()
			if sizes[i], err = r.ensureLayer(ctx, s); err != nil {
				return err
			}
			close(s.done)
			return nil
		})
	}
	return sizes, group.Wait()
}

// ensureLayer unpacks a layer unless that is done already, and returns its size.
// One caller at a time works on a layer.
func (r *Registry) ensureLayer(ctx context.Context, s step) (int64, error) {
	top := s.chains[len(s.chains)-1]
	r.mu.Lock()
	turn := r.pins[top].turn
	r.mu.Unlock()
	select {
	case <-turn:
		defer func() { turn <- struct{}{} }()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	dir := r.path("layers", layerName(top))
	if _, err := os.Stat(dir); err == nil {
		return r.layerSize(top), nil
	}
	temp, err := os.MkdirTemp(r.path("tmp"), "layer-")
	if err != nil {
		return 0, err
	}
	size, err := r.makeLayer(ctx, s, temp)
	if err == nil {
		err = os.Rename(temp, dir)
	}
	if err != nil {
		// Its removal may take longer than whoever stops the task will wait.
		return 0, errors.Join(fmt.Errorf("layer %s: %w", s.blob, err), r.throwAway(temp))
	}
	return size, nil
}

// layerSize is the size of a layer that an unpacked image has; 0 when none has,
// or it was unpacked by a version that did not keep sizes.
func (r *Registry) layerSize(chain string) int64 {
	for _, u := range r.rootfs.List("") {
		if i := slices.Index(u.Chains, chain); i >= 0 && i < len(u.Sizes) {
			return u.Sizes[i]
		}
	}
	return 0
}

// makeLayer unpacks a layer into a directory and completes it. It returns the
// size of the layer's tar.
func (r *Registry) makeLayer(ctx context.Context, s step, dir string) (int64, error) {
	result, err := r.unpackLayer(ctx, s, dir)
	if err != nil {
		return 0, err
	}
	select {
	case <-s.below:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	var lower []string // highest first
	for _, c := range slices.Backward(s.chains[:len(s.chains)-1]) {
		lower = append(lower, r.path("layers", layerName(c)))
	}
	return result.Bytes, layer.Complete(ctx, dir, result, lower)
}

// unpackLayer has a process write a layer's files into dir, and verifies both
// the layer's digests: of the blob as stored, and of the tar inside.
func (r *Registry) unpackLayer(ctx context.Context, s step, dir string) (layer.Result, error) {
	if s.from != nil {
		if err := r.fetch(ctx, s.from, s.blob, s.size); err != nil {
			return layer.Result{}, err
		}
	}
	select {
	case r.unpacking <- struct{}{}:
		defer func() { <-r.unpacking }()
	case <-ctx.Done():
		return layer.Result{}, context.Cause(ctx)
	}
	f, err := r.openBlob(s.blob)
	if err != nil {
		return layer.Result{}, err
	}
	defer f.Close()
	stored := &summer{in: f, sum: sha256.New()}
	result, err := layer.Unpack(ctx, layer.Job{
		Dir: dir, Filter: r.cfg.Filter,
		Limits: layer.Limits{Bytes: r.cfg.MaxUnpackedBytes, Entries: maxEntries, FreeBytes: freeBytes},
	}, stored)
	if err != nil {
		return layer.Result{}, err
	}
	if got := stored.digest(); got != s.blob {
		if s.from != nil { // it was not synced to disk: the next try pulls it again
			err = os.Remove(r.blobPath(s.blob))
		}
		return layer.Result{}, errors.Join(fmt.Errorf("the stored blob has digest %s", got), err)
	}
	if result.DiffID != s.diffID {
		return layer.Result{}, fmt.Errorf("unpacks to %s, the image config says %s", result.DiffID, s.diffID)
	}
	return result, nil
}

// summer hashes what is read through it.
type summer struct {
	in  io.Reader
	sum hash.Hash
}

// Read reads on.
func (s *summer) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	s.sum.Write(p[:n])
	return n, err
}

func (s *summer) digest() string { return "sha256:" + hex.EncodeToString(s.sum.Sum(nil)) }
