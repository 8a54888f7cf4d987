package sealed_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"neargate/internal/store/sealed"
)

func newKey(t *testing.T) (*sealed.Key, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	k, err := sealed.OpenKey(path)
	if err != nil {
		t.Fatal(err)
	}
	return k, path
}

func TestKeyIsKept(t *testing.T) {
	k, path := newKey(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != 32 {
		t.Fatalf("the key's file is %v, %v", info, err)
	}
	again, err := sealed.OpenKey(path)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := newKey(t)
	box := k.Seal([]byte("value"), "here")
	for name, row := range map[string]struct {
		key   *sealed.Key
		place string
		want  bool
	}{"the same": {k, "here", true}, "opened again": {again, "here", true}, "another place": {k, "there", false}, "another key": {other, "here", false}} {
		if value, ok := row.key.Open(box, row.place); ok != row.want || ok && string(value) != "value" {
			t.Errorf("%s: got %q, %v", name, value, ok)
		}
	}
	if bytes.Equal(box, k.Seal([]byte("value"), "here")) {
		t.Error("a value is sealed twice in the same way")
	}
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sealed.OpenKey(path); err == nil {
		t.Error("half a key is taken for one")
	}
}

// What is read from anywhere is what was written there.
func TestFiles(t *testing.T) {
	k, _ := newKey(t)
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.SampledFrom([]int{0, 1, 100, 65535, 65536, 65537, 131072, 200000}).Draw(rt, "size")
		content := make([]byte, size)
		for i := range content {
			content[i] = byte(rand.Uint32())
		}
		var file bytes.Buffer
		if n, err := k.Copy(&file, bytes.NewReader(content), "f"); err != nil || n != int64(size) {
			rt.Fatalf("copied %d, %v", n, err)
		}
		r, err := k.Reader(bytes.NewReader(file.Bytes()), "f", int64(size))
		if err != nil {
			rt.Fatal(err)
		}
		for range 5 {
			from := rapid.IntRange(0, size).Draw(rt, "from")
			length := rapid.IntRange(0, size-from).Draw(rt, "length")
			got, err := io.ReadAll(io.NewSectionReader(r, int64(from), int64(length)))
			if err != nil || !bytes.Equal(got, content[from:from+length]) {
				rt.Fatalf("%d bytes from %d: got %d, %v", length, from, len(got), err)
			}
		}
	})
}

// A byte that was changed, chunks that were swapped or cut off, another name and
// another key are errors.
func TestDamagedFiles(t *testing.T) {
	k, _ := newKey(t)
	other, _ := newKey(t)
	content := bytes.Repeat([]byte("0123456789abcdef"), 10000)
	var file bytes.Buffer
	if _, err := k.Copy(&file, bytes.NewReader(content), "f"); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(file.Bytes(), []byte("0123456789")) {
		t.Error("the content stands in the file")
	}
	const chunk = 64<<10 + 16
	swapped := append(append([]byte{}, file.Bytes()[chunk:2*chunk]...), file.Bytes()[:chunk]...)
	flipped := bytes.Clone(file.Bytes())
	flipped[chunk+5] ^= 1
	for name, row := range map[string]struct {
		key  *sealed.Key
		name string
		file []byte
	}{
		"a byte": {k, "f", flipped}, "swapped": {k, "f", append(swapped, file.Bytes()[2*chunk:]...)}, "cut off": {k, "f", file.Bytes()[:file.Len()-1]},
		"another name": {k, "g", file.Bytes()}, "another key": {other, "f", file.Bytes()},
	} {
		r, err := row.key.Reader(bytes.NewReader(row.file), row.name, int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(io.NewSectionReader(r, 0, int64(len(content)))); !errors.Is(err, sealed.ErrBroken) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
