package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"cuelabs.dev/go/oci/ociregistry"
	"github.com/opencontainers/go-digest"
)

// octetStream is the media type of every blob: what a blob is only follows
// from the manifest that refers to it.
const octetStream = "application/octet-stream"

// blobPath is where the content of a valid digest lies.
func (r *Registry) blobPath(d string) string {
	return r.path("blobs", digest.Digest(d).Encoded())
}

// checkDigest refuses what is not a sha256 digest; d may come from anywhere.
func checkDigest(d string) error {
	dg := digest.Digest(d)
	if dg.Validate() != nil || dg.Algorithm() != digest.SHA256 {
		return ociregistry.NewError(fmt.Sprintf("%q is not a sha256 digest", d), ociregistry.ErrDigestInvalid.Code(), nil)
	}
	return nil
}

// openBlob opens the content of a digest.
func (r *Registry) openBlob(d string) (*os.File, error) {
	if err := checkDigest(d); err != nil {
		return nil, err
	}
	f, err := os.Open(r.blobPath(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open blob %s: %w", d, ociregistry.ErrBlobUnknown)
	}
	return f, err
}

// readBlob reads a small blob whole.
func (r *Registry) readBlob(d string, maxBytes int64) ([]byte, error) {
	f, err := r.openBlob(d)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", d, err)
	}
	if int64(len(data)) > maxBytes {
		return nil, fmt.Errorf("read blob %s: larger than %d bytes", d, maxBytes)
	}
	if got := digest.FromBytes(data).String(); got != d {
		return nil, fmt.Errorf("read blob %s: the file holds %s", d, got)
	}
	return data, nil
}

// placeLocked renames a verified temporary file to its blob and links it
// into a repository. The file is on disk when placeLocked returns.
func (r *Registry) placeLocked(ctx context.Context, repo, d, temp string, size int64) error {
	// A blob that is there already is replaced, which mends a damaged one.
	if err := moveDurably(temp, r.blobPath(d)); err != nil {
		return fmt.Errorf("store blob %s: %w", d, err)
	}
	return r.links.Put(ctx, repo+"@"+d, link{Digest: d, Size: size, At: r.now()})
}

// moveDurably renames a synced file and syncs the directory that it enters.
func moveDurably(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// blobReader is an open blob, or a part of it, as ociregistry wants it.
type blobReader struct {
	io.Reader
	io.Closer
	desc ociregistry.Descriptor
}

// Descriptor describes the whole blob, also when only a part is read.
func (b blobReader) Descriptor() ociregistry.Descriptor { return b.desc }
