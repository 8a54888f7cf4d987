package layer

import (
	"archive/tar"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// Directories that a layer leaves out look as in the layers beneath, and tell
// nothing of directories of the machine that links there point to.
func TestCompleteInheritsFromTheLayersBeneath(t *testing.T) {
	needsRoot(t)
	host := filepath.Join(t.TempDir(), "host")
	if err := os.MkdirAll(filepath.Join(host, "private"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(filepath.Join(host, "private"), 4242, 4343); err != nil {
		t.Fatal(err)
	}
	tmp, home := dir("tmp", 0o1777), dir("home/web", 0o700)
	home.Uid, home.Gid = 101, 102
	lowest, _, err := unpack(t, small(), archive(t,
		tmp, dir("home", 0o711), home, link("l", host, tar.TypeSymlink), link("up", "../../../../../../../../.."+host, tar.TypeSymlink),
		dir("gone", 0o700), dir("blocked", 0o700), dir("blocked/in", 0o700)))
	if err != nil {
		t.Fatal(err)
	}
	middle, _, err := unpack(t, small(), archive(t, file(".wh.gone", ""), file("blocked", "a file")))
	if err != nil {
		t.Fatal(err)
	}
	top, r, err := unpack(t, small(), archive(t,
		file("tmp/a/f", ""), file("home/web/f", ""), file("l/private/f", ""), file("l/absent/f", ""), file("up/private/f", ""),
		file("gone/f", ""), file("blocked/in/f", ""), file("var/.wh..wh..opq", "")))
	if err != nil {
		t.Fatal(err)
	}
	if err := Complete(t.Context(), top, r, []string{middle, lowest}); err != nil {
		t.Fatal(err)
	}
	got := list(t, top)
	for name, what := range got {
		if what[0] == '-' {
			delete(got, name)
		}
	}
	want := map[string]string{
		"tmp": "dtrwxrwxrwx", "tmp/a": "drwxr-xr-x", "home": "drwx--x--x", "home/web": "drwx------ of 101:102",
		"l": "drwxr-xr-x", "l/private": "drwxr-xr-x", "l/absent": "drwxr-xr-x", "up": "drwxr-xr-x", "up/private": "drwxr-xr-x",
		"gone": "drwxr-xr-x", "blocked": "drwxr-xr-x", "blocked/in": "drwxr-xr-x", "var": "drwxr-xr-x",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("directories (-want +got):\n%s", diff)
	}
	buf := make([]byte, 10)
	if n, err := unix.Getxattr(filepath.Join(top, "var"), opaqueAttr, buf); err != nil || string(buf[:n]) != "y" {
		t.Errorf("opaque = %q, %v", buf[:n], err)
	}
}

// The process that unpacked a layer is not believed either.
func TestCompleteStaysInTheLayer(t *testing.T) {
	needsRoot(t)
	outside := t.TempDir()
	at, _, err := unpack(t, small(), archive(t, link("l", outside, tar.TypeSymlink), fifo("pipe"), dir("d", 0o755)))
	if err != nil {
		t.Fatal(err)
	}
	before := list(t, filepath.Dir(outside))
	names := []string{"../..", "/", "l", "pipe", "d/../../..", outside, "absent", ""}
	for _, r := range []Result{{Opaque: names}, {Implied: names}} {
		if err := Complete(t.Context(), at, r, []string{"/"}); err != nil {
			t.Logf("Complete = %v", err)
		}
	}
	if diff := cmp.Diff(before, list(t, filepath.Dir(outside))); diff != "" {
		t.Errorf("outside (-want +got):\n%s", diff)
	}
	if _, err := unix.Getxattr(outside, opaqueAttr, make([]byte, 10)); err == nil {
		t.Error("a directory of the machine was marked")
	}
}
