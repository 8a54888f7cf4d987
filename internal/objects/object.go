package objects

import (
	"context"
	"crypto/md5" //nolint:gosec // an ETag is an MD5 sum
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"neargate/internal/model"
	"neargate/internal/store"
)

// Object returns an object. NoSuchBucket, NoSuchKey.
func (o *Objects) Object(bucket, key string) (Object, error) {
	if _, err := o.Bucket(bucket); err != nil {
		return Object{}, err
	}
	object, ok := o.objects.Get(objectKey(bucket, key))
	if !ok {
		return Object{}, errNoKey()
	}
	return object, nil
}

// Read returns length bytes of an object's content from offset on. The content
// stays readable when the object is overwritten or deleted meanwhile.
// NoSuchKey.
func (o *Objects) Read(object Object, offset, length int64) (io.ReadCloser, error) {
	r, err := o.open(object.Blobs, offset, length)
	if errors.Is(err, fs.ErrNotExist) { // overwritten since the record was read
		return nil, errNoKey()
	}
	if err != nil {
		return nil, fmt.Errorf("read object %s of %s: %w", object.Key, object.Bucket, err)
	}
	return r, nil
}

// Replaces reports, within the transaction, why an object may not take the place
// of what is there, if anything is. nil is always allowed.
type Replaces func(cur Object, exists bool) error

// Verify reports, when a content has been read, what its sender said of it, or
// that it is another content. nil is nothing.
type Verify func() (Checksum, error)

// Put keeps a content under an object's key. Errors of the content and of the
// functions are returned as they are. NoSuchBucket.
func (o *Objects) Put(ctx context.Context, object Object, content io.Reader, may Replaces, verify Verify) (Object, error) {
	if _, err := o.Bucket(object.Bucket); err != nil {
		return Object{}, err
	}
	c, err := o.keep(content, verify)
	if err != nil {
		return Object{}, err
	}
	object.Blobs, object.Size, object.ETag, object.Checksum = []Blob{c.blob}, c.blob.Size, c.etag, c.checksum
	return o.replace(ctx, object, may)
}

// kept is a content on disk.
type kept struct {
	blob     Blob
	etag     string
	checksum Checksum
}

// keep writes a content to disk and verifies it.
func (o *Objects) keep(content io.Reader, verify Verify) (kept, error) {
	sum := md5.New() //nolint:gosec // as above
	blob, err := o.writeBlob(io.TeeReader(content, sum))
	if err != nil {
		return kept{}, err
	}
	c := kept{blob: blob, etag: hex.EncodeToString(sum.Sum(nil))}
	if verify != nil {
		if c.checksum, err = verify(); err != nil {
			o.discard([]Blob{blob})
			return kept{}, err
		}
	}
	return c, nil
}

// Copy keeps the content of an object under the key of another, which brings
// its headers and tags. NoSuchBucket, NoSuchKey.
func (o *Objects) Copy(ctx context.Context, from, to Object) (Object, error) {
	blobs, err := o.linkBlobs(from.Blobs)
	if errors.Is(err, fs.ErrNotExist) {
		return Object{}, errNoKey()
	}
	if err != nil {
		return Object{}, err
	}
	to.Blobs, to.Size, to.ETag, to.Checksum = blobs, from.Size, from.ETag, from.Checksum
	return o.replace(ctx, to, nil)
}

// replace writes an object's record, and removes the content that it had. A
// record that is not written loses its content.
func (o *Objects) replace(ctx context.Context, object Object, may Replaces) (Object, error) {
	object.ModifiedAt = o.now().UTC()
	var old Object
	err := o.db.Update(ctx, func(tx *store.Tx) error {
		if _, ok := o.buckets.In(tx).Get(object.Bucket); !ok {
			return errNoBucket()
		}
		var exists bool
		old, exists = o.objects.In(tx).Get(objectKey(object.Bucket, object.Key))
		if may != nil {
			if err := may(old, exists); err != nil {
				return err
			}
		}
		o.objects.In(tx).Put(objectKey(object.Bucket, object.Key), object)
		return nil
	})
	if err != nil {
		o.discard(object.Blobs)
		return Object{}, err
	}
	o.discard(old.Blobs)
	return object, nil
}

// Tag sets an object's tags. NoSuchBucket, NoSuchKey.
func (o *Objects) Tag(ctx context.Context, bucket, key string, tags map[string]string) error {
	if _, err := o.Bucket(bucket); err != nil {
		return err
	}
	_, err := o.objects.Update(ctx, objectKey(bucket, key), func(cur Object, exists bool) (Object, error) {
		if !exists {
			return cur, errNoKey()
		}
		cur.Tags = tags
		return cur, nil
	})
	return err
}

// Delete deletes objects; those that are not there are deleted already.
// NoSuchBucket.
func (o *Objects) Delete(ctx context.Context, bucket string, keys ...string) error {
	var blobs []Blob
	err := o.db.Update(ctx, func(tx *store.Tx) error {
		if _, ok := o.buckets.In(tx).Get(bucket); !ok {
			return errNoBucket()
		}
		blobs = nil
		for _, key := range keys {
			if object, ok := o.objects.In(tx).Get(objectKey(bucket, key)); ok {
				blobs = append(blobs, object.Blobs...)
				o.objects.In(tx).Delete(objectKey(bucket, key))
			}
		}
		return nil
	})
	if err == nil {
		o.discard(blobs)
	}
	return err
}

func errNoKey() error {
	return model.Errorf(model.NotFound, "NoSuchKey", "The specified key does not exist.")
}
