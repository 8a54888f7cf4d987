package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"

	"cuelabs.dev/go/oci/ociregistry"

	"neargate/internal/model"
)

// backend is the registry as the distribution protocol's server sees it. What
// it does not define (referrers) is refused by Funcs.
type backend struct {
	*ociregistry.Funcs
	r *Registry
}

// ociCode returns the distribution protocol's code for one of ECR's, as ECR's own
// registry answers it; "" when there is none.
func ociCode(code string) string {
	switch code {
	case "RepositoryNotFoundException":
		return "NAME_UNKNOWN"
	case "ImageNotFoundException":
		return "MANIFEST_UNKNOWN"
	case "LayersNotFoundException", "ReferencedImagesNotFoundException":
		return "MANIFEST_BLOB_UNKNOWN"
	case "InvalidParameterException":
		return "MANIFEST_INVALID"
	case "ImageTagAlreadyExistsException":
		return "TAG_INVALID"
	case "ImageReferencedByManifestList":
		return "DENIED"
	}
	return ""
}

// wireError turns ECR's errors into the distribution protocol's.
func wireError(err error) error {
	e, ok := errors.AsType[*model.Error](err)
	if !ok || ociCode(e.Code) == "" {
		return err
	}
	oci := ociregistry.NewError(e.Msg, ociCode(e.Code), nil)
	if oci.Code() == "TAG_INVALID" {
		return ociregistry.NewHTTPError(oci, http.StatusBadRequest, nil, nil) // a code that the library has no status for
	}
	return oci
}

func errDenied(msg string) error {
	return ociregistry.NewError(msg, ociregistry.ErrDenied.Code(), nil)
}

func errTooLarge(what string, maxBytes int64) error {
	oci := ociregistry.NewError(fmt.Sprintf("%s is larger than the limit of %d bytes", what, maxBytes), "TOO_LARGE", nil)
	return ociregistry.NewHTTPError(oci, http.StatusRequestEntityTooLarge, nil, nil)
}

// hasBlob returns an error unless a repository holds a blob.
func (r *Registry) hasBlob(repo, d string) error {
	if _, err := r.Repository(repo); err != nil {
		return err
	}
	if _, ok := r.links.Get(repo + "@" + d); !ok {
		return ociregistry.ErrBlobUnknown
	}
	return nil
}

// GetBlob opens a blob.
func (b backend) GetBlob(ctx context.Context, repo string, d ociregistry.Digest) (ociregistry.BlobReader, error) {
	return b.GetBlobRange(ctx, repo, d, 0, -1)
}

// GetBlobRange opens a part of a blob.
func (b backend) GetBlobRange(_ context.Context, repo string, d ociregistry.Digest, from, to int64) (ociregistry.BlobReader, error) {
	if err := b.r.hasBlob(repo, d.String()); err != nil {
		return nil, wireError(err)
	}
	f, err := b.r.openBlob(d.String())
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if to < 0 || to > st.Size() {
		to = st.Size()
	}
	desc := ociregistry.Descriptor{MediaType: octetStream, Digest: d, Size: st.Size()}
	return blobReader{io.NewSectionReader(f, from, max(to-from, 0)), f, desc}, nil
}

// ResolveBlob describes a blob.
func (b backend) ResolveBlob(_ context.Context, repo string, d ociregistry.Digest) (ociregistry.Descriptor, error) {
	if err := b.r.hasBlob(repo, d.String()); err != nil {
		return ociregistry.Descriptor{}, wireError(err)
	}
	l, _ := b.r.links.Get(repo + "@" + d.String())
	return ociregistry.Descriptor{MediaType: octetStream, Digest: d, Size: l.Size}, nil
}

// GetManifest returns a manifest by digest.
func (b backend) GetManifest(ctx context.Context, repo string, d ociregistry.Digest) (ociregistry.BlobReader, error) {
	return b.manifest(ctx, repo, d.String())
}

// GetTag returns a manifest by tag.
func (b backend) GetTag(ctx context.Context, repo, name string) (ociregistry.BlobReader, error) {
	return b.manifest(ctx, repo, name)
}

func (b backend) manifest(ctx context.Context, repo, ref string) (ociregistry.BlobReader, error) {
	data, img, err := b.r.Manifest(repo, ref)
	if err != nil {
		return nil, wireError(err)
	}
	b.r.notePull(ctx, img)
	desc := ociregistry.Descriptor{MediaType: img.MediaType, Digest: ociregistry.Digest(img.Digest), Size: int64(len(data))}
	return blobReader{bytes.NewReader(data), io.NopCloser(nil), desc}, nil
}

// ResolveManifest describes a manifest by digest.
func (b backend) ResolveManifest(_ context.Context, repo string, d ociregistry.Digest) (ociregistry.Descriptor, error) {
	return b.resolve(repo, d.String())
}

// ResolveTag describes a manifest by tag.
func (b backend) ResolveTag(_ context.Context, repo, name string) (ociregistry.Descriptor, error) {
	return b.resolve(repo, name)
}

func (b backend) resolve(repo, ref string) (ociregistry.Descriptor, error) {
	data, img, err := b.r.Manifest(repo, ref)
	if err != nil {
		return ociregistry.Descriptor{}, wireError(err)
	}
	return ociregistry.Descriptor{MediaType: img.MediaType, Digest: ociregistry.Digest(img.Digest), Size: int64(len(data))}, nil
}

// PushBlob takes a blob in one request.
func (b backend) PushBlob(ctx context.Context, repo string, desc ociregistry.Descriptor, body io.Reader) (ociregistry.Descriptor, error) {
	w, err := b.PushBlobChunked(ctx, repo, 0)
	if err != nil {
		return ociregistry.Descriptor{}, err
	}
	if _, err := io.Copy(w, body); err != nil {
		return ociregistry.Descriptor{}, errors.Join(fmt.Errorf("receive blob: %w", err), w.Cancel())
	}
	return w.Commit(desc.Digest)
}

// PushBlobChunked begins an upload.
func (b backend) PushBlobChunked(ctx context.Context, repo string, _ int) (ociregistry.BlobWriter, error) {
	u, err := b.r.startUpload(repo)
	if err != nil {
		return nil, wireError(err)
	}
	return b.writer(ctx, u, -1)
}

// PushBlobChunkedResume goes on with an upload.
func (b backend) PushBlobChunkedResume(ctx context.Context, repo, id string, offset int64, _ int) (ociregistry.BlobWriter, error) {
	u, err := b.r.findUpload(repo, id)
	if err != nil {
		return nil, err
	}
	return b.writer(ctx, u, offset)
}

func (b backend) writer(ctx context.Context, u *upload, offset int64) (ociregistry.BlobWriter, error) {
	w, err := b.r.newBlobWriter(ctx, u, offset)
	if err != nil {
		return nil, err // a nil *blobWriter would not be a nil BlobWriter
	}
	return w, nil
}

// MountBlob links a blob of one repository into another.
func (b backend) MountBlob(ctx context.Context, from, to string, d ociregistry.Digest) (ociregistry.Descriptor, error) {
	b.r.mu.Lock()
	defer b.r.mu.Unlock()
	if _, err := b.r.Repository(to); err != nil {
		return ociregistry.Descriptor{}, wireError(err)
	}
	if err := b.r.hasBlob(from, d.String()); err != nil {
		return ociregistry.Descriptor{}, wireError(err)
	}
	l, _ := b.r.links.Get(from + "@" + d.String())
	l.At = b.r.now()
	if err := b.r.links.Put(ctx, to+"@"+d.String(), l); err != nil {
		return ociregistry.Descriptor{}, fmt.Errorf("mount blob %s: %w", d, err)
	}
	return ociregistry.Descriptor{MediaType: octetStream, Digest: d, Size: l.Size}, nil
}

// PushManifest stores a manifest.
func (b backend) PushManifest(ctx context.Context, repo, tagName string, data []byte, mediaType string) (ociregistry.Descriptor, error) {
	img, err := b.r.PutImage(ctx, repo, tagName, data, mediaType)
	if err != nil {
		return ociregistry.Descriptor{}, wireError(err)
	}
	return ociregistry.Descriptor{MediaType: mediaType, Digest: ociregistry.Digest(img.Digest), Size: int64(len(data))}, nil
}

// DeleteBlob takes a blob out of a repository.
func (b backend) DeleteBlob(ctx context.Context, repo string, d ociregistry.Digest) error {
	return wireError(b.r.deleteBlob(ctx, repo, d.String()))
}

// DeleteManifest removes an image with its tags.
func (b backend) DeleteManifest(ctx context.Context, repo string, d ociregistry.Digest) error {
	_, err := b.r.DeleteImage(ctx, repo, d.String())
	return wireError(err)
}

// DeleteTag removes a tag, and the image with its last tag.
func (b backend) DeleteTag(ctx context.Context, repo, name string) error {
	_, err := b.r.DeleteImage(ctx, repo, name)
	return wireError(err)
}

// Repositories lists the repositories after one.
func (b backend) Repositories(_ context.Context, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, repo := range b.r.Repositories() {
			if repo.Name > after && !yield(repo.Name, nil) {
				return
			}
		}
	}
}

// Tags lists the tags of a repository after one.
func (b backend) Tags(_ context.Context, repo, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if _, err := b.r.Repository(repo); err != nil {
			yield("", wireError(err))
			return
		}
		for _, t := range b.r.tags.List(repo + ":") {
			if t.Name > after && !yield(t.Name, nil) {
				return
			}
		}
	}
}
