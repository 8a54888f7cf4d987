package objects

import (
	"context"
	"maps"
	"net/netip"
	"strings"

	"neargate/internal/model"
	"neargate/internal/store"
)

// Buckets returns all buckets, by name.
func (o *Objects) Buckets() []Bucket { return o.buckets.List("") }

// Bucket returns a bucket. NoSuchBucket.
func (o *Objects) Bucket(name string) (Bucket, error) {
	b, ok := o.buckets.Get(name)
	if !ok {
		return b, errNoBucket()
	}
	return b, nil
}

// CreateBucket makes a bucket. InvalidBucketName, BucketAlreadyOwnedByYou.
func (o *Objects) CreateBucket(ctx context.Context, name string) error {
	if !validBucket(name) {
		return model.Errorf(model.Invalid, "InvalidBucketName", "The specified bucket is not valid.")
	}
	_, err := o.buckets.Update(ctx, name, func(cur Bucket, exists bool) (Bucket, error) {
		if exists {
			return cur, model.Errorf(model.Conflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
		}
		return Bucket{Name: name, CreatedAt: o.now().UTC()}, nil
	})
	return err
}

// DeleteBucket deletes an empty bucket. NoSuchBucket, BucketNotEmpty.
func (o *Objects) DeleteBucket(ctx context.Context, name string) error {
	var blobs []Blob
	err := o.db.Update(ctx, func(tx *store.Tx) error {
		if _, ok := o.buckets.In(tx).Get(name); !ok {
			return errNoBucket()
		}
		if len(o.objects.In(tx).List(name+"/")) > 0 {
			return model.Errorf(model.Conflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
		}
		blobs = nil
		for _, u := range o.uploads.In(tx).List(name + "/") {
			blobs = append(blobs, u.blobs()...)
			o.uploads.In(tx).Delete(uploadKey(name, u.ID))
		}
		o.buckets.In(tx).Delete(name)
		return nil
	})
	if err == nil {
		o.discard(blobs)
	}
	return err
}

// Configure puts documents under the names of a bucket's subresources, "" takes
// one away. NoSuchBucket.
func (o *Objects) Configure(ctx context.Context, bucket string, documents map[string]string) error {
	_, err := o.buckets.Update(ctx, bucket, func(cur Bucket, exists bool) (Bucket, error) {
		if !exists {
			return cur, errNoBucket()
		}
		cur.Settings = maps.Clone(cur.Settings)
		if cur.Settings == nil {
			cur.Settings = map[string]string{}
		}
		maps.Copy(cur.Settings, documents)
		maps.DeleteFunc(cur.Settings, func(_, document string) bool { return document == "" })
		return cur, nil
	})
	return err
}

// validBucket: "Bucket naming rules", Amazon S3 user guide.
func validBucket(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil || len(name) < 3 || len(name) > 63 || strings.Contains(name, "..") {
		return false
	}
	alphanumeric := func(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }
	for i := range len(name) {
		if !alphanumeric(name[i]) && name[i] != '-' && name[i] != '.' {
			return false
		}
	}
	return alphanumeric(name[0]) && alphanumeric(name[len(name)-1])
}

func errNoBucket() error {
	return model.Errorf(model.NotFound, "NoSuchBucket", "The specified bucket does not exist")
}
