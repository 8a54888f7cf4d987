package layer

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"
)

func needsRoot(tb testing.TB) {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("needs root: unpacking changes owners")
	}
}

// small is what the layers of these tests may hold.
func small() Limits { return Limits{Bytes: 1 << 20, Entries: 1000, FreeBytes: 1} }

// unpack unpacks a layer into a new directory.
func unpack(t *testing.T, limits Limits, blob []byte) (string, Result, error) {
	t.Helper()
	needsRoot(t)
	at := t.TempDir()
	r, err := Unpack(t.Context(), Job{Dir: at, Limits: limits}, bytes.NewReader(blob))
	return at, r, err
}

// list describes all files below dir.
func list(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		st, err := os.Lstat(path)
		if err != nil {
			return err
		}
		text := st.Mode().String()
		sys, _ := st.Sys().(*syscall.Stat_t)
		if st.Mode()&fs.ModeDevice != 0 {
			text += fmt.Sprintf(" %d/%d", unix.Major(sys.Rdev), unix.Minor(sys.Rdev))
		} else if sys.Uid != 0 || sys.Gid != 0 {
			text += fmt.Sprintf(" of %d:%d", sys.Uid, sys.Gid)
		}
		if st.Mode().IsRegular() && st.Size() < 1000 {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += " " + string(data)
		}
		if to, err := os.Readlink(path); err == nil {
			text += " -> " + to
		}
		out[strings.TrimPrefix(path, dir+"/")] = text
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func TestUnpackMakesWhatEntriesSay(t *testing.T) {
	owned := file("srv/owned", "o")
	owned.Uid, owned.Gid, owned.Mode, owned.ModTime = 1000, 2000, 0o6755, time.Unix(1e9, 0)
	secret := dir("srv/secret", 0o1700)
	secret.Uid, secret.ModTime = 33, time.Unix(2e9, 0)
	at, r, err := unpack(t, small(), archive(t,
		dir("./", 0o755), dir("srv", 0o751), owned, secret, file("srv/secret/in", "i"),
		link("bin", "usr/bin", tar.TypeSymlink), dir("usr", 0o755), dir("usr/bin", 0o755), file("bin/sh", "s"),
		link("abs", "/usr", tar.TypeSymlink), file("abs/lib/so", "a"),
		link("hard", "srv/owned", tar.TypeLink), link("dangling", "/nowhere/\xff", tar.TypeSymlink),
		fifo("pipe"), device("null", 1, 3), device("hole", 0, 0),
		file("etc/.wh.gone", ""), file("var/.wh..wh..opq", ""), file(".wh..wh.plnk", ""),
		file("twice", "1"), file("twice", "2"), dir("swap", 0o755), file("swap/in", "x"), file("swap", "y"), dir("swap", 0o700), file("swap/again", "z"),
		file("caf\xe9/.wh..wh..opq", ""), file("caf\xe9/f", "c"),
	))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"srv": "drwxr-x--x", "srv/owned": "ugrwxr-xr-x of 1000:2000 o", "srv/secret": "dtrwx------ of 33:0", "srv/secret/in": "-rw-r--r-- i",
		"bin": "Lrwxrwxrwx -> usr/bin", "usr": "drwxr-xr-x", "usr/bin": "drwxr-xr-x", "usr/bin/sh": "-rw-r--r-- s",
		"abs": "Lrwxrwxrwx -> /usr", "usr/lib": "drwxr-xr-x", "usr/lib/so": "-rw-r--r-- a",
		"hard": "ugrwxr-xr-x of 1000:2000 o", "dangling": "Lrwxrwxrwx -> /nowhere/\xff",
		"pipe": "prw-r-----",
		"etc":  "drwxr-xr-x", "etc/gone": "Dc--------- 0/0", "var": "drwxr-xr-x",
		"twice": "-rw-r--r-- 2", "swap": "drwx------", "swap/again": "-rw-r--r-- z",
		"caf\xe9": "drwxr-xr-x", "caf\xe9/f": "-rw-r--r-- c",
	}
	if diff := cmp.Diff(want, list(t, at)); diff != "" {
		t.Errorf("unpacked (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"var", "caf\xe9"}, r.Opaque); diff != "" {
		t.Errorf("opaque (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"abs/lib", "etc", "var", "caf\xe9"}, r.Implied); diff != "" {
		t.Errorf("implied (-want +got):\n%s", diff)
	}
	for name, want := range map[string]int64{"srv/owned": 1e9, "srv/secret": 2e9} {
		if st, err := os.Stat(filepath.Join(at, name)); err != nil || st.ModTime().Unix() != want {
			t.Errorf("time of %s = %v, %v", name, st, err)
		}
	}
}

// What a layer may try; nothing of it reaches out of its directory, waits, or
// takes more than it may.
func TestUnpackOfHostileLayers(t *testing.T) {
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret")
	if err := os.WriteFile(secret, []byte("untouched"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := list(t, outside)
	up := strings.Repeat("../", 20)
	many := make([]entry, 1001)
	for i := range many {
		many[i] = file("same", "")
	}
	owner := func(uid, gid int) entry {
		e := file("f", "x")
		e.Uid, e.Gid, e.Format = uid, gid, tar.FormatPAX
		return e
	}
	attribute := func(name string) entry {
		e := file("f", "x")
		e.PAXRecords = map[string]string{"SCHILY.xattr." + name: "v"}
		return e
	}
	for _, row := range []struct {
		name string
		blob []byte
		want string // a part of the error; "": none
	}{
		{"dots in a path", archive(t, file("../outside", "x")), "path leads out of the layer"},
		{"dots within a path", archive(t, file("a/../../outside", "x")), "path leads out of the layer"},
		{"an absolute path", archive(t, file(secret, "x")), ""},
		{"a file through a symlink", archive(t, link("l", up+outside[1:], tar.TypeSymlink), file("l/secret", "x")), "file exists"},
		{"a file through a symlink to the root", archive(t, link("l", "/", tar.TypeSymlink), file("l"+secret, "x")), ""},
		{"a file through an absolute symlink", archive(t, link("l", outside, tar.TypeSymlink), file("l/secret", "x")), "file exists"},
		{"a file through a chain", archive(t, link("a", "b", tar.TypeSymlink), link("b", up+"c", tar.TypeSymlink), link("c", "/", tar.TypeSymlink), file("a"+secret, "x")), ""},
		{"a file in place of a symlink", archive(t, link("l", secret, tar.TypeSymlink), file("l", "x")), ""},
		{"a directory in place of a symlink", archive(t, link("l", outside, tar.TypeSymlink), dir("l", 0o777), file("l/secret", "x")), ""},
		{"a symlink in a circle", archive(t, link("l", "l", tar.TypeSymlink), file("l/f", "x")), "too many levels of symbolic links"},
		{"a hard link out", archive(t, link("h", "../secret", tar.TypeLink)), "path leads out of the layer"},
		{"a hard link to a file of the host", archive(t, link("h", secret, tar.TypeLink)), "no such file"},
		{"a hard link through a symlink", archive(t, link("l", outside, tar.TypeSymlink), link("h", "l/secret", tar.TypeLink)), "no such file"},
		{"a hard link to a symlink, written through", archive(t, link("l", secret, tar.TypeSymlink), link("h", "l", tar.TypeLink), file("h", "x")), ""},
		{"a hard link to a directory", archive(t, dir("d", 0o755), link("h", "d", tar.TypeLink)), "operation not permitted"},
		{"a whiteout through a symlink", archive(t, link("l", outside, tar.TypeSymlink), file("l/.wh.secret", "")), "file exists"},
		{"a whiteout of nothing", archive(t, file(".wh.", "")), "whiteout names nothing"},
		{"a whiteout of its directory", archive(t, file("a/.wh..", "")), "whiteout names nothing"},
		{"a whiteout of the one above", archive(t, file("a/.wh...", "")), "whiteout names nothing"},
		{"a file as root", archive(t, file(".", "x")), "root is not a directory"},
		{"a symlink as root", archive(t, link("./", "/", tar.TypeSymlink)), "root is not a directory"},
		{"a pipe as parent", archive(t, fifo("x"), file("x/.wh..wh..opq", "")), "not a directory"},
		{"a pipe as parent of a whiteout", archive(t, fifo("x"), file("x/.wh.y", "")), "not a directory"},
		{"a symlink to a pipe as parent", archive(t, fifo("p"), link("x", "p", tar.TypeSymlink), file("x/f", "")), "not a directory"},
		{"a device as parent", archive(t, device("x", 1, 11), file("x/.wh..wh..opq", "")), ""},
		{"a whiteout as parent", archive(t, file(".wh.x", ""), file("x/f", "")), "not a directory"},
		{"a pipe as target of a hard link", archive(t, fifo("p"), link("h", "p", tar.TypeLink), file("h/f", "")), "not a directory"},
		{"a hole larger than the limit", sparse("s", 3<<30), "larger than the limit of 1048576 bytes"},
		{"a hole of almost everything", sparse("s", 1<<62), "larger than the limit of 1048576 bytes"},
		{"holes that are together too large", append(sparse("a", 1<<19)[:512], append(sparse("b", 1<<19)[:512], sparse("c", 1)...)...), "larger than the limit of 1048576 bytes"},
		{"too many entries", archive(t, many...), "more than 1000 entries"},
		{"too many directories", archive(t, file(strings.Repeat("d/", 250)+"f", ""), file("e/"+strings.Repeat("d/", 250)+"f", ""),
			file("f/"+strings.Repeat("d/", 250)+"f", ""), file("g/"+strings.Repeat("d/", 250)+"f", "")), "more than 1000 entries"},
		{"a path too deep", archive(t, file(strings.Repeat("d/", 300)+"f", "")), "path is too long"},
		{"a path too long", archive(t, file(strings.Repeat("d", 5000), "")), "path is too long"},
		{"a name too long", archive(t, file(strings.Repeat("d", 300), "")), "file name too long"},
		{"a link too long", archive(t, link("l", strings.Repeat("d", 5000), tar.TypeSymlink)), "file name too long"},
		{"nobody's file", archive(t, owner(1<<32-1, 0)), "owner 4294967295:0 does not exist"},
		{"a group beyond all", archive(t, owner(0, 1<<40)), "does not exist"},
		{"an attribute of overlayfs", archive(t, attribute("trusted.overlay.redirect")), ""},
		{"an attribute of SELinux", archive(t, attribute("security.selinux")), ""},
		{"a capability that is none", archive(t, attribute("security.capability")), "set attribute"},
		{"a type that is none", archive(t, entry{Header: tar.Header{Name: "x", Typeflag: 'Z'}}), "is not supported"},
		{"cut short", archive(t, file("f", strings.Repeat("x", 2000)))[:1000], "unexpected EOF"},
		{"no archive", []byte(strings.Repeat("nonsense", 200)), "read tar"},
		{"nothing", nil, ""},
		{"a bomb of gzip", packed(t, make([]byte, 2<<20)), "larger than the limit of 1048576 bytes"},
		{"a window of zstd too large", windowed(), "window size exceeded"},
		{"gzip cut short", packed(t, archive(t, file("f", "x")))[:20], "unexpected EOF"},
	} {
		t.Run(row.name, func(t *testing.T) {
			at, r, err := unpack(t, small(), row.blob)
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("Unpack = %v, want an error with %q", err, row.want)
			}
			if err == nil {
				if err := Complete(t.Context(), at, r, []string{t.TempDir()}); err != nil {
					t.Errorf("Complete = %v", err)
				}
			}
			for name, what := range list(t, at) {
				if strings.HasPrefix(what, "D") && !strings.Contains(what, "0/0") {
					t.Errorf("a device was made: %s %s", name, what)
				}
			}
			if diff := cmp.Diff(before, list(t, outside)); diff != "" {
				t.Fatalf("outside the layer (-want +got):\n%s", diff)
			}
			var st unix.Stat_t
			if err := unix.Lstat(filepath.Join(at, "s"), &st); err == nil && st.Blocks > 100 {
				t.Errorf("%d blocks were written", st.Blocks)
			}
			if err := os.RemoveAll(at); err != nil {
				t.Errorf("the layer cannot be removed: %v", err)
			}
		})
	}
}

func packed(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

// windowed is a frame of zstd whose header asks for a window of 512 MiB.
func windowed() []byte {
	return []byte("\x28\xb5\x2f\xfd" + "\x00" + "\x98" + "\x01\x00\x00")
}

// The memory that the process may have is enough for what is taken.
func TestUnpackWithTheLargestWindow(t *testing.T) {
	if raced {
		t.Skip("needs memory that the race detector takes: run it without")
	}
	const size = 300 << 20
	var blob bytes.Buffer
	w, err := zstd.NewWriter(&blob, zstd.WithWindowSize(maxWindow), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, io.MultiReader(bytes.NewReader(header("f", tar.TypeReg, size)), io.LimitReader(&forever{begun: true}, size+1024))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	limits := small()
	limits.Bytes = 1 << 30
	at, _, err := unpack(t, limits, blob.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(filepath.Join(at, "f")); err != nil || st.Size() != size {
		t.Errorf("the file is %v, %v", st, err)
	}
}

func TestHolesTakeNoRoom(t *testing.T) {
	const size = 8 << 20
	limits := small()
	limits.Bytes = 2 * size
	content := "begin" + strings.Repeat("\x00", size-8) + "end"
	for _, row := range []struct {
		name string
		blob []byte
		want string
	}{
		{"a sparse file", sparse("s", size), strings.Repeat("\x00", size)},
		{"a file of zeros within", archive(t, file("s", content)), content},
	} {
		t.Run(row.name, func(t *testing.T) {
			at, _, err := unpack(t, limits, row.blob)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(at, "s")
			got, err := os.ReadFile(path)
			if err != nil || string(got) != row.want {
				t.Errorf("%d bytes, %v, want %d", len(got), err, len(row.want))
			}
			var st unix.Stat_t
			if err := unix.Stat(path, &st); err != nil || st.Blocks*512 > 1<<20 {
				t.Errorf("%d bytes on disk, %v", st.Blocks*512, err)
			}
		})
	}
}

func TestUnpackLeavesRoomOnTheDisk(t *testing.T) {
	needsRoot(t)
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("needs to mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	at := filepath.Join(disk, "layer")
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	limits := Limits{Bytes: 1 << 30, Entries: 1000, FreeBytes: 1 << 30}
	blob := archive(t, file("a", strings.Repeat("x", 40<<20)), file("b", strings.Repeat("y", 40<<20)))
	_, err := Unpack(t.Context(), Job{Dir: at, Limits: limits}, bytes.NewReader(blob))
	if err == nil || !strings.Contains(err.Error(), "no space left on device") {
		t.Errorf("Unpack = %v", err)
	}
	if err := errors.Join(os.RemoveAll(at), os.WriteFile(filepath.Join(disk, "other"), make([]byte, 1<<20), 0o600)); err != nil {
		t.Errorf("nothing is left for others: %v", err)
	}
}
