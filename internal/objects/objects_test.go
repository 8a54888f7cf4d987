package objects

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"neargate/internal/store"
	"neargate/internal/store/sealed"
)

func open(t *testing.T, dir string) (*Objects, *store.DB) {
	t.Helper()
	db, err := store.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := sealed.OpenKey(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	o, err := Open(db, filepath.Join(dir, "objects"), key)
	if err != nil {
		t.Fatal(err)
	}
	return o, db
}

func content(t *testing.T, o *Objects, key string) string {
	t.Helper()
	object, err := o.Object("b-1", key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := o.Read(object, 0, object.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What a process that was killed left of an object that it was writing is
// removed; objects and the parts of uploads stay.
func TestOpenDropsWhatBelongsToNothing(t *testing.T) {
	dir := t.TempDir()
	o, db := open(t, dir)
	ctx := t.Context()
	if err := o.CreateBucket(ctx, "b-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Put(ctx, Object{Bucket: "b-1", Key: "k"}, strings.NewReader("kept"), nil, nil); err != nil {
		t.Fatal(err)
	}
	u, err := o.BeginUpload(ctx, Object{Bucket: "b-1", Key: "u"})
	if err != nil {
		t.Fatal(err)
	}
	part, err := o.PutPart(ctx, u, 1, strings.NewReader("part"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.writeBlob(strings.NewReader("half")); err != nil { // and no record
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	o, db = open(t, dir)
	defer db.Close()
	if files, err := os.ReadDir(o.dir); err != nil || len(files) != 2 {
		t.Errorf("%d files, %v", len(files), err)
	}
	if _, err := o.EndUpload(ctx, u, []Part{part}, nil); err != nil || content(t, o, "u") != "part" || content(t, o, "k") != "kept" {
		t.Errorf("after the restart: %v", err)
	}
}

// An object that is being read stays readable to its end, whatever becomes of it.
func TestReadOutlivesTheObject(t *testing.T) {
	o, db := open(t, t.TempDir())
	defer db.Close()
	ctx := t.Context()
	if err := o.CreateBucket(ctx, "b-1"); err != nil {
		t.Fatal(err)
	}
	object, err := o.Put(ctx, Object{Bucket: "b-1", Key: "k"}, strings.NewReader("first"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := o.Read(object, 0, object.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := o.Delete(ctx, "b-1", "k"); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); err != nil || string(b) != "first" {
		t.Errorf("got %q, %v", b, err)
	}
	if _, err := o.Read(object, 0, object.Size); err == nil || err.Error() != "NoSuchKey: The specified key does not exist." {
		t.Errorf("read after the deletion: %v", err)
	}
}

// A content that ends with an error leaves the object as it was, and no file.
func TestPutThatFails(t *testing.T) {
	o, db := open(t, t.TempDir())
	defer db.Close()
	ctx := t.Context()
	if err := o.CreateBucket(ctx, "b-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Put(ctx, Object{Bucket: "b-1", Key: "k"}, strings.NewReader("good"), nil, nil); err != nil {
		t.Fatal(err)
	}
	cut := errors.New("cut off")
	gone, cancel := context.WithCancel(ctx)
	cancel()
	for name, put := range map[string]func() error{
		"a content that ends early": func() error {
			_, err := o.Put(ctx, Object{Bucket: "b-1", Key: "k"}, io.MultiReader(strings.NewReader("ba"), errReader{cut}), nil, nil)
			return err
		},
		"another content than was said": func() error {
			_, err := o.Put(ctx, Object{Bucket: "b-1", Key: "k"}, strings.NewReader("bad"), nil, func() (Checksum, error) { return Checksum{}, cut })
			return err
		},
		"what may not replace": func() error {
			_, err := o.Put(ctx, Object{Bucket: "b-1", Key: "k"}, strings.NewReader("bad"), func(cur Object, exists bool) error {
				if !exists || cur.Size != 4 {
					t.Errorf("there is %+v, %v", cur, exists)
				}
				return cut
			}, nil)
			return err
		},
		"a caller who has gone": func() error {
			_, err := o.Put(gone, Object{Bucket: "b-1", Key: "k"}, strings.NewReader("bad"), nil, nil)
			return err
		},
		"a bucket that is not there": func() error {
			_, err := o.Put(ctx, Object{Bucket: "none", Key: "k"}, strings.NewReader("bad"), nil, nil)
			return err
		},
	} {
		if err := put(); err == nil {
			t.Errorf("%s: no error", name)
		}
		if files, err := os.ReadDir(o.dir); err != nil || len(files) != 1 || content(t, o, "k") != "good" {
			t.Errorf("%s: %d files, %v", name, len(files), err)
		}
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }
