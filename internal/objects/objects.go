// Package objects keeps the buckets and objects of S3: records in the state,
// contents encrypted in files of the data directory. An object is there, whole and on
// disk, when the call that brought it returns, or it is as it was.
//
// Objects is safe for concurrent use. It knows nothing of HTTP and of who asks.
package objects

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"neargate/internal/store"
	"neargate/internal/store/sealed"
)

// Objects are the buckets of an account and region with their objects.
type Objects struct {
	dir     string
	key     *sealed.Key
	now     func() time.Time // replaced in tests only
	db      *store.DB
	buckets *store.Table[Bucket] // by name
	objects *store.Table[Object] // by BUCKET/KEY
	uploads *store.Table[Upload] // by BUCKET/ID
}

// Bucket is one bucket.
type Bucket struct {
	Name      string
	CreatedAt time.Time
	// Settings are the documents of the bucket's subresources, as they were put,
	// by name: "policy", "tagging", …
	Settings map[string]string
}

// Object is one object. Its content is the sequence of its blobs.
type Object struct {
	Bucket, Key string
	Blobs       []Blob
	Size        int64
	ETag        string // without quotes
	Checksum    Checksum
	Headers     map[string]string // answered with the object: Content-Type, x-amz-meta-…
	Tags        map[string]string
	ModifiedAt  time.Time
}

// Blob is a file with a part of a content.
type Blob struct {
	ID   string // the file's name
	Seal string // the name under which its content was encrypted
	Size int64  // of the content
}

// Checksum is what the client said the content's checksum is, when it said so.
type Checksum struct {
	Algorithm string // CRC32, CRC32C, CRC64NVME, SHA1 or SHA256; "": none
	Value     string // in base64
}

// Open opens the buckets under dir, with the key of their contents, and removes the files of objects that were
// being written or deleted when the last process ended.
func Open(db *store.DB, dir string, key *sealed.Key) (*Objects, error) {
	o := &Objects{dir: dir, key: key, now: time.Now, db: db}
	var err error
	if o.buckets, err = store.NewTable[Bucket](db, "buckets"); err == nil {
		o.objects, err = store.NewTable[Object](db, "objects")
	}
	if err == nil {
		o.uploads, err = store.NewTable[Upload](db, "object_uploads")
	}
	if err == nil {
		err = o.dropOrphans()
	}
	if err != nil {
		return nil, fmt.Errorf("open the objects: %w", err)
	}
	return o, nil
}

// dropOrphans removes the blobs that belong to nothing.
func (o *Objects) dropOrphans() error {
	files, err := os.ReadDir(o.dir)
	if errors.Is(err, fs.ErrNotExist) { // nothing was ever put
		return nil
	}
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, object := range o.objects.List("") {
		for _, b := range object.Blobs {
			known[b.ID] = true
		}
	}
	for _, u := range o.uploads.List("") {
		for _, p := range u.Parts {
			known[p.Blob.ID] = true
		}
	}
	for _, f := range files {
		if known[f.Name()] {
			continue
		}
		if err := os.Remove(filepath.Join(o.dir, f.Name())); err != nil {
			return err
		}
	}
	return nil
}

// objectKey is an object's key in its table. Bucket names have no slash.
func objectKey(bucket, key string) string { return bucket + "/" + key }
