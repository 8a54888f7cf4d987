package objects

import (
	"cmp"
	"context"
	"crypto/md5" //nolint:gosec // an ETag is an MD5 sum
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
	"neargate/internal/store"
)

// Upload is an object that is brought in parts.
type Upload struct {
	ID        string
	Object    Object // what it is to be: bucket, key, headers, tags
	Parts     map[int]Part
	CreatedAt time.Time
}

// Part is one part of an upload.
type Part struct {
	Number     int
	ETag       string // without quotes
	Checksum   Checksum
	Blob       Blob
	ModifiedAt time.Time
}

// minPart is the least size of all parts but the last. [Amazon S3 user guide,
// "Multipart upload limits"].
const minPart = 5 << 20

func uploadKey(bucket, id string) string { return bucket + "/" + id }

func (u Upload) blobs() []Blob {
	var all []Blob
	for _, p := range u.Parts {
		all = append(all, p.Blob)
	}
	return all
}

// Sorted returns the parts by number.
func (u Upload) Sorted() []Part {
	return slices.SortedFunc(maps.Values(u.Parts), func(a, b Part) int { return cmp.Compare(a.Number, b.Number) })
}

// BeginUpload begins an upload. NoSuchBucket.
func (o *Objects) BeginUpload(ctx context.Context, object Object) (Upload, error) {
	u := Upload{ID: random.Word(64), Object: object, CreatedAt: o.now().UTC()}
	err := o.db.Update(ctx, func(tx *store.Tx) error {
		if _, ok := o.buckets.In(tx).Get(object.Bucket); !ok {
			return errNoBucket()
		}
		o.uploads.In(tx).Put(uploadKey(object.Bucket, u.ID), u)
		return nil
	})
	return u, err
}

// Upload returns an upload under way. NoSuchUpload.
func (o *Objects) Upload(bucket, key, id string) (Upload, error) {
	u, ok := o.uploads.Get(uploadKey(bucket, id))
	if !ok || u.Object.Key != key {
		return Upload{}, errNoUpload()
	}
	return u, nil
}

// Uploads returns the uploads of a bucket under way. NoSuchBucket.
func (o *Objects) Uploads(bucket string) ([]Upload, error) {
	if _, err := o.Bucket(bucket); err != nil {
		return nil, err
	}
	all := o.uploads.List(bucket + "/")
	slices.SortFunc(all, func(a, b Upload) int {
		return cmp.Or(cmp.Compare(a.Object.Key, b.Object.Key), a.CreatedAt.Compare(b.CreatedAt))
	})
	return all, nil
}

// PutPart keeps a part, in place of one with its number. Errors of the content
// and of verify are returned as they are. NoSuchUpload.
func (o *Objects) PutPart(ctx context.Context, u Upload, number int, content io.Reader, verify Verify) (Part, error) {
	c, err := o.keep(content, verify)
	if err != nil {
		return Part{}, err
	}
	part := Part{Number: number, ETag: c.etag, Checksum: c.checksum, Blob: c.blob, ModifiedAt: o.now().UTC()}
	var old Part
	_, err = o.uploads.Update(ctx, uploadKey(u.Object.Bucket, u.ID), func(cur Upload, exists bool) (Upload, error) {
		if !exists {
			return cur, errNoUpload()
		}
		cur.Parts = maps.Clone(cur.Parts)
		if cur.Parts == nil {
			cur.Parts = map[int]Part{}
		}
		old = cur.Parts[number]
		cur.Parts[number] = part
		return cur, nil
	})
	if err != nil {
		o.discard([]Blob{c.blob})
		return Part{}, err
	}
	if old.Blob.ID != "" {
		o.discard([]Blob{old.Blob})
	}
	return part, nil
}

// EndUpload makes an object of the parts that the caller lists, by number and
// ETag; the others go. NoSuchUpload, InvalidPart, InvalidPartOrder,
// EntityTooSmall.
func (o *Objects) EndUpload(ctx context.Context, u Upload, parts []Part, may Replaces) (Object, error) {
	var object, old Object
	var spare []Blob
	err := o.db.Update(ctx, func(tx *store.Tx) error {
		cur, ok := o.uploads.In(tx).Get(uploadKey(u.Object.Bucket, u.ID))
		if !ok {
			return errNoUpload()
		}
		if _, ok := o.buckets.In(tx).Get(u.Object.Bucket); !ok {
			return errNoBucket()
		}
		var err error
		if object, err = cur.joined(parts); err != nil {
			return err
		}
		object.ModifiedAt = o.now().UTC()
		spare = slices.DeleteFunc(cur.blobs(), func(b Blob) bool { return slices.Contains(object.Blobs, b) })
		var exists bool
		old, exists = o.objects.In(tx).Get(objectKey(object.Bucket, object.Key))
		if may != nil {
			if err := may(old, exists); err != nil {
				return err
			}
		}
		o.objects.In(tx).Put(objectKey(object.Bucket, object.Key), object)
		o.uploads.In(tx).Delete(uploadKey(object.Bucket, u.ID))
		return nil
	})
	if err != nil {
		return Object{}, err
	}
	o.discard(append(spare, old.Blobs...))
	return object, nil
}

// joined is the object that parts make. Its ETag is the MD5 of the parts' with
// their number.
func (u Upload) joined(parts []Part) (Object, error) {
	object := u.Object
	sum := md5.New() //nolint:gosec // as above
	for i := 1; i < len(parts); i++ {
		if parts[i].Number <= parts[i-1].Number {
			return object, model.Errorf(model.Invalid, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
		}
	}
	for i, want := range parts {
		part, ok := u.Parts[want.Number]
		if !ok || part.ETag != want.ETag {
			return object, model.Errorf(model.Invalid, "InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
		}
		if part.Blob.Size < minPart && i < len(parts)-1 {
			return object, model.Errorf(model.Invalid, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		raw, err := hex.DecodeString(part.ETag)
		if err != nil {
			return object, fmt.Errorf("read the ETag of part %d: %w", part.Number, err)
		}
		sum.Write(raw)
		object.Blobs = append(object.Blobs, part.Blob)
		object.Size += part.Blob.Size
	}
	object.ETag = fmt.Sprintf("%x-%d", sum.Sum(nil), len(parts))
	return object, nil
}

// DropUpload ends an upload without an object. NoSuchUpload.
func (o *Objects) DropUpload(ctx context.Context, u Upload) error {
	var dropped Upload
	err := o.db.Update(ctx, func(tx *store.Tx) error {
		var ok bool
		if dropped, ok = o.uploads.In(tx).Get(uploadKey(u.Object.Bucket, u.ID)); !ok {
			return errNoUpload()
		}
		o.uploads.In(tx).Delete(uploadKey(u.Object.Bucket, u.ID))
		return nil
	})
	if err == nil {
		o.discard(dropped.blobs())
	}
	return err
}

func errNoUpload() error {
	return model.Errorf(model.NotFound, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
}
