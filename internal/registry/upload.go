package registry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
	"sync"
	"time"

	"cuelabs.dev/go/oci/ociregistry"
)

// uploadIdle is how long an upload may lie untouched before it is removed.
const uploadIdle = 24 * time.Hour

// maxUploads bounds the uploads under way, each with a file.
const maxUploads = 1000

// uploads are the blobs that are being pushed. They do not outlive the process.
type uploads struct {
	mu   sync.Mutex
	open map[string]*upload
}

// upload is one blob being pushed, over one or more requests.
type upload struct {
	id, repo, path string

	mu      sync.Mutex // held by the one request that writes; the rest is its
	size    int64
	sum     hash.Hash // over the size bytes in the file
	touched time.Time
	gone    bool // committed or cancelled
}

func (r *Registry) startUpload(repo string) (*upload, error) {
	if _, err := r.Repository(repo); err != nil {
		return nil, err
	}
	u := &upload{id: rand.Text(), repo: repo, sum: sha256.New(), touched: r.now()}
	u.path = r.path("tmp", "upload-"+u.id)
	r.uploads.mu.Lock()
	defer r.uploads.mu.Unlock()
	if len(r.uploads.open) >= maxUploads {
		return nil, ociregistry.NewError(fmt.Sprintf("%d uploads are under way", maxUploads), ociregistry.ErrTooManyRequests.Code(), nil)
	}
	r.uploads.open[u.id] = u
	return u, nil
}

func (r *Registry) findUpload(repo, id string) (*upload, error) {
	r.uploads.mu.Lock()
	defer r.uploads.mu.Unlock()
	u, ok := r.uploads.open[id]
	if !ok || u.repo != repo {
		return nil, ociregistry.ErrBlobUploadUnknown
	}
	return u, nil
}

// sweepUploads removes the uploads that nobody has touched for long.
func (r *Registry) sweepUploads() {
	r.uploads.mu.Lock()
	var all []*upload
	for _, u := range r.uploads.open {
		all = append(all, u)
	}
	r.uploads.mu.Unlock()
	for _, u := range all {
		if !u.mu.TryLock() {
			continue // being written
		}
		if r.now().Sub(u.touched) > uploadIdle {
			r.endUploadLocked(u)
		}
		u.mu.Unlock()
	}
}

// endUploadLocked forgets an upload and removes its file, if it is still there.
func (r *Registry) endUploadLocked(u *upload) {
	if u.gone {
		return
	}
	u.gone = true
	if err := os.Remove(u.path); err != nil && !os.IsNotExist(err) {
		r.log.Warn("remove upload", "upload", u.id, "error", err)
	}
	r.uploads.mu.Lock()
	defer r.uploads.mu.Unlock()
	delete(r.uploads.open, u.id)
}

// blobWriter is one request's turn at an upload; it holds the upload's lock
// until it is closed.
type blobWriter struct {
	ctx    context.Context // of the request, as ociregistry's BlobWriter has none
	r      *Registry
	u      *upload
	file   *os.File
	offset int64 // where the request says its bytes begin; -1: where the last one ended
	size   int64 // of the upload; stays readable after Close
	closed bool
}

// newBlobWriter takes the upload for one request. It never waits: two requests
// that write to one upload are a client's mistake.
func (r *Registry) newBlobWriter(ctx context.Context, u *upload, offset int64) (*blobWriter, error) {
	if !u.mu.TryLock() {
		return nil, ociregistry.NewError("another request is writing this upload", ociregistry.ErrBlobUploadInvalid.Code(), nil)
	}
	if u.gone {
		u.mu.Unlock()
		return nil, ociregistry.ErrBlobUploadUnknown
	}
	f, err := os.OpenFile(u.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		u.mu.Unlock()
		return nil, fmt.Errorf("open upload: %w", err)
	}
	return &blobWriter{ctx: ctx, r: r, u: u, file: f, offset: offset, size: u.size}, nil
}

// Write adds p to the upload.
func (w *blobWriter) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if w.offset >= 0 && w.offset != w.u.size {
		return 0, fmt.Errorf("upload stands at %d, the request begins at %d: %w", w.u.size, w.offset, ociregistry.ErrRangeInvalid)
	}
	w.offset = -1
	if w.u.size+int64(len(p)) > w.r.cfg.MaxBlobBytes {
		return 0, errTooLarge("blob", w.r.cfg.MaxBlobBytes)
	}
	n, err := w.file.Write(p)
	w.u.sum.Write(p[:n])
	w.u.size += int64(n)
	w.u.touched = w.r.now()
	w.size = w.u.size
	if err != nil {
		return n, fmt.Errorf("write upload: %w", err)
	}
	return n, nil
}

// Close ends the turn; the upload can be resumed.
func (w *blobWriter) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	defer w.u.mu.Unlock()
	return w.file.Close()
}

// Size is the number of bytes in the upload.
func (w *blobWriter) Size() int64 { return w.size }

// ChunkSize is the smallest chunk that clients are asked to send; any is taken.
func (w *blobWriter) ChunkSize() int { return 64 << 10 }

// ID names the upload in its URL.
func (w *blobWriter) ID() string { return w.u.id }

// Cancel drops the upload.
func (w *blobWriter) Cancel() error {
	if !w.closed {
		w.r.endUploadLocked(w.u)
	}
	return w.Close()
}

// Commit makes the upload a blob if its digest is d, and drops it otherwise:
// the bytes of a wrong upload are of no use to a second try.
func (w *blobWriter) Commit(d ociregistry.Digest) (ociregistry.Descriptor, error) {
	defer w.Close()
	defer w.r.endUploadLocked(w.u)
	if err := checkDigest(d.String()); err != nil {
		return ociregistry.Descriptor{}, err
	}
	if got := "sha256:" + hex.EncodeToString(w.u.sum.Sum(nil)); got != d.String() {
		return ociregistry.Descriptor{}, ociregistry.NewError(
			fmt.Sprintf("provided digest %s did not match uploaded content %s", d, got), ociregistry.ErrDigestInvalid.Code(), nil)
	}
	if err := w.file.Sync(); err != nil {
		return ociregistry.Descriptor{}, fmt.Errorf("sync upload: %w", err)
	}
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	if _, err := w.r.Repository(w.u.repo); err != nil {
		return ociregistry.Descriptor{}, err
	}
	if err := w.r.placeLocked(w.ctx, w.u.repo, d.String(), w.u.path, w.u.size); err != nil {
		return ociregistry.Descriptor{}, err
	}
	return ociregistry.Descriptor{MediaType: octetStream, Digest: d, Size: w.u.size}, nil
}
