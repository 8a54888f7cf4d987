package objects

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"neargate/internal/random"
	"neargate/internal/store/durable"
)

// writeBlob keeps a content in a new file, on disk when it returns. Errors of
// the content are returned as they are.
func (o *Objects) writeBlob(content io.Reader) (Blob, error) {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return Blob{}, fmt.Errorf("keep an object: %w", err)
	}
	id := random.Hex(32)
	b := Blob{ID: id, Seal: id}
	f, err := os.OpenFile(o.path(b), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return Blob{}, fmt.Errorf("keep an object: %w", err)
	}
	b.Size, err = o.key.Copy(f, content, b.Seal)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = durable.SyncDir(o.dir)
	}
	if err != nil {
		o.discard([]Blob{b})
		return Blob{}, err
	}
	return b, nil
}

// linkBlobs gives blobs a second name each, so that two objects have them.
func (o *Objects) linkBlobs(blobs []Blob) ([]Blob, error) {
	var linked []Blob
	for _, b := range blobs {
		l := Blob{ID: random.Hex(32), Seal: b.Seal, Size: b.Size}
		if err := os.Link(o.path(b), o.path(l)); err != nil {
			o.discard(linked)
			return nil, fmt.Errorf("copy an object: %w", err)
		}
		linked = append(linked, l)
	}
	return linked, nil
}

// discard removes files that no record names any more. What cannot be removed
// goes when the objects are next opened.
func (o *Objects) discard(blobs []Blob) {
	for _, b := range blobs {
		_ = os.Remove(o.path(b))
	}
}

func (o *Objects) path(b Blob) string { return filepath.Join(o.dir, b.ID) }

// reader reads a range of the blobs that were open when it was made.
type reader struct {
	io.Reader
	files []*os.File
}

// Close closes the files.
func (r *reader) Close() error {
	var errs []error
	for _, f := range r.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// open returns length bytes of blobs from offset on. Errors: fs.ErrNotExist when
// they were deleted meanwhile.
func (o *Objects) open(blobs []Blob, offset, length int64) (io.ReadCloser, error) {
	r := &reader{}
	var parts []io.Reader
	for _, b := range blobs {
		if offset >= b.Size {
			offset -= b.Size
			continue
		}
		n := min(b.Size-offset, length)
		if n <= 0 {
			break
		}
		f, err := os.Open(o.path(b))
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		r.files = append(r.files, f)
		plain, err := o.key.Reader(f, b.Seal, b.Size)
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		parts = append(parts, io.NewSectionReader(plain, offset, n))
		offset, length = 0, length-n
	}
	r.Reader = io.MultiReader(parts...)
	return r, nil
}
