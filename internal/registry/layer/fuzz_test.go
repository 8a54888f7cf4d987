package layer

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// words are the parts of the grammar of FuzzEntries: names and links that meet.
type words struct{ names, links []string }

func grammar(outside string) words {
	return words{
		names: []string{
			"a", "b", "a/b", "a/b/c", "./a", "/a", "../a", "a/../b", "a/.wh.b", ".wh.a", "a/.wh..wh..opq", ".wh..wh..opq", ".wh..wh.plnk",
			"a/.wh...", "a/.wh..", ".wh.", "..", ".", "", "./", "a/b/../../..", "a//b", "a/b/.wh.c", "a\nb", "\xff/a", "b/c/d/e",
			strings.Repeat("x", 300), strings.Repeat("d/", 300) + "f", "a/outside/secret", "outside/secret", outside[1:] + "/secret", "a/a/a/a", "b/a",
		},
		links: []string{
			"", ".", "..", "/", "a", "b", "a/b", "../outside", "../../outside", outside, outside + "/secret", "../outside/secret", "/a/b",
			"/proc/self/root", "/proc/self/cwd", "./a/../b", "c", "a/..", strings.Repeat("../", 30) + outside[1:], strings.Repeat("l", 5000),
		},
	}
}

// build makes a layer of entries, each out of five bytes: name, link, type,
// attributes, size.
func (w words) build(program []byte) []byte {
	kinds := []byte{
		tar.TypeReg, tar.TypeDir, tar.TypeSymlink, tar.TypeLink, tar.TypeChar, tar.TypeBlock, tar.TypeFifo, tar.TypeXGlobalHeader,
		'7', 'Z', tar.TypeDir, tar.TypeSymlink, tar.TypeReg,
	}
	var buf bytes.Buffer
	for ; len(program) >= 5; program = program[5:] {
		name, bits := w.names[int(program[0])%len(w.names)], program[3]
		kind := int(program[2]) % (len(kinds) + 1)
		if kind == len(kinds) { // what tar.Writer does not write
			buf.Write(sparse(name[:min(len(name), 90)], 1<<(program[4]%64))[:512])
			continue
		}
		h := &tar.Header{
			Name: name, Linkname: w.links[int(program[1])%len(w.links)], Typeflag: kinds[kind],
			Mode: int64(bits) << 4, Devmajor: int64(bits % 3), Devminor: int64(bits % 5),
			Uid: int(bits) * 1000, Gid: int(program[4]) << 24, ModTime: time.Unix(int64(bits)<<30, 0),
		}
		var content []byte
		if h.Typeflag == tar.TypeReg {
			content = bytes.Repeat([]byte{bits & 1}, int(program[4])*1024)
			h.Size = int64(len(content))
		}
		if bits%7 == 0 && h.Typeflag != tar.TypeXGlobalHeader {
			h.PAXRecords = map[string]string{
				"SCHILY.xattr.user.a": "b", "SCHILY.xattr.trusted.overlay.redirect": "/x", "SCHILY.xattr.security.selinux": "s",
			}
		}
		tw := tar.NewWriter(&buf) // its trailer is left out
		if tw.WriteHeader(h) == nil {
			_, _ = tw.Write(content)
			_ = tw.Flush() // the writer is of memory
		}
	}
	return append(buf.Bytes(), make([]byte, 1024)...)
}

// hunt unpacks what a fuzzer thought of and checks what must hold of any layer.
type hunt struct {
	base, outside string
	before        map[string]string
	limits        Limits
}

func newHunt(f *testing.F) *hunt {
	f.Helper()
	needsRoot(f)
	h := &hunt{base: f.TempDir(), limits: Limits{Bytes: 1 << 20, Entries: 500, FreeBytes: 1}}
	h.outside = filepath.Join(h.base, "outside")
	if err := os.Mkdir(h.outside, 0o750); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.outside, "secret"), []byte("s"), 0o600); err != nil {
		f.Fatal(err)
	}
	h.before = list(f, h.outside)
	return h
}

func (h *hunt) check(t *testing.T, blob []byte) {
	t.Helper()
	dir, err := os.MkdirTemp(h.base, "l") //nolint:usetesting // below the directory whose outside is watched
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		r, err := unpackTar(bytes.NewReader(blob), dir, h.limits)
		if err == nil {
			err = Complete(t.Context(), dir, r, []string{dir, h.outside})
		}
		done <- err
	}()
	select {
	case err = <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("hangs")
	}
	if diff := cmp.Diff(h.before, list(t, h.outside)); diff != "" {
		t.Fatalf("outside of the layer (-want +got):\n%s", diff)
	}
	files := list(t, dir)
	if len(files) > h.limits.Entries {
		t.Errorf("%d files, the limit is %d", len(files), h.limits.Entries)
	}
	for name, what := range files {
		if strings.HasPrefix(what, "D") && !strings.Contains(what, " 0/0") {
			t.Errorf("%q is a device: %s", name, what)
		}
		if err == nil && strings.Contains(what, fmt.Sprint(" of ", nobody)) && !strings.Contains(string(blob), fmt.Sprint(nobody)) {
			t.Errorf("%q was left to nobody: %s", name, what)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Errorf("cannot be removed: %v", err)
	}
}

// FuzzEntries unpacks layers out of a grammar of entries of all types.
func FuzzEntries(f *testing.F) {
	f.Add([]byte{0, 0, 6, 0, 0, 10, 0, 0, 0, 0})                                                  // a pipe, and an opaque whiteout below it
	f.Add([]byte{0, 0, 4, 1, 0, 10, 0, 0, 0, 0})                                                  // a device, the same
	f.Add([]byte{0, 9, 2, 0, 0, 24, 0, 0, 0, 1})                                                  // through a link
	f.Add([]byte{0, 3, 2, 0, 0, 30, 0, 0, 0, 1})                                                  // through a link to the root
	f.Add([]byte{0, 0, 13, 0, 40})                                                                // sparse
	f.Add([]byte{1, 0, 1, 0, 0, 25, 0, 0, 1, 3, 1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 25, 0, 0, 1, 3})    // a directory replaced
	f.Add([]byte{0, 5, 2, 0, 0, 2, 0, 0, 1, 1, 0, 0, 1, 7, 0, 2, 0, 0, 1, 1, 3, 4, 3, 0, 0})      // a link replaced
	f.Add([]byte{0, 1, 2, 0, 0, 31, 0, 0, 1, 1, 32, 4, 2, 1, 1, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 9}) // a link to where it is
	h := newHunt(f)
	w := grammar(h.outside)
	f.Fuzz(func(t *testing.T, program []byte) { h.check(t, w.build(program)) })
}

// FuzzBlob unpacks layers of any bytes.
func FuzzBlob(f *testing.F) {
	whole := archive(f, dir("d", 0o755), file("d/f", "x"), fifo("p"), link("l", "d", tar.TypeSymlink), file("l/g", "y"), file("d/.wh.f", ""))
	f.Add(whole)
	f.Add(packed(f, whole))
	f.Add(sparse("s", 10))
	f.Add(windowed())
	pax := file("x", "1")
	pax.PAXRecords = map[string]string{"SCHILY.xattr.user.a": "b"}
	f.Add(archive(f, pax))
	h := newHunt(f)
	f.Fuzz(func(t *testing.T, blob []byte) { h.check(t, blob) })
}
