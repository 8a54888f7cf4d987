package registry

import (
	"archive/tar"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cuelabs.dev/go/oci/ociregistry"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"

	"neargate/internal/model"
)

func needsRoot(tb testing.TB) {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("needs root: unpacking makes device nodes and changes owners")
	}
}

// overlay mounts unpacked layers as a runtime does.
func overlay(t *testing.T, layers []string) string {
	t.Helper()
	lower := slices.Clone(layers)
	slices.Reverse(lower)
	at := t.TempDir()
	upper, work := t.TempDir(), t.TempDir()
	opts := "lowerdir=" + strings.Join(lower, ":") + ",upperdir=" + upper + ",workdir=" + work
	if err := unix.Mount("overlay", at, "overlay", 0, opts); err != nil {
		t.Skipf("needs overlayfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(at, 0); err != nil {
			t.Error(err)
		}
	})
	return at
}

// tree lists the files below dir with their mode, owner and content.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		st, err := e.Info()
		if err != nil {
			return err
		}
		text := st.Mode().String()
		switch {
		case st.Mode().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += " " + string(data)
		case st.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			text += " -> " + to
		}
		if sys, ok := st.Sys().(*syscall.Stat_t); ok && sys.Uid != 0 {
			text += " of 1000"
		}
		out[strings.TrimPrefix(path, dir+"/")] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestUnpackMountsWithOverlayfs(t *testing.T) {
	needsRoot(t)
	f := newFixture(t)
	f.createRepository(t, "app", "")
	owned := file("etc/owned", "o")
	owned.Uid, owned.Gid, owned.Mode = 1000, 1000, 0o4755
	base := entries(
		t, dir("./", 0o755), dir("etc", 0o755), file("etc/gone", "x"), file("etc/kept", "k"), owned,
		dir("tmp", 0o1777), dir("var", 0o755), file("var/hidden", "h"),
		tar.Header{Name: "etc/link", Typeflag: tar.TypeSymlink, Linkname: "/etc/kept", Mode: 0o777},
		tar.Header{Name: "etc/hard", Typeflag: tar.TypeLink, Linkname: "etc/kept"},
		tar.Header{Name: "etc/pipe", Typeflag: tar.TypeFifo, Mode: 0o600},
		tar.Header{Name: "etc/null", Typeflag: tar.TypeChar, Mode: 0o666, Devmajor: 1, Devminor: 3},
	)
	middle := entries(t, file("etc/.wh.gone", ""), file("var/.wh..wh..opq", ""), file("var/new", "n"), file(".wh..wh.plnk", ""))
	top := entries(t, file("tmp/deep/file", "d"), file("etc/twice", "1"), file("etc/twice", "2")) // leaves out its directories
	layers := []blob{gzipped(t, base), zstandard(t, middle), plain(top)}
	desc := f.pushImage(t, "app", "v1", layers, nil)

	rootfs, release, err := f.Unpack(t.Context(), "127.0.0.1:4566/app:v1", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	wantConfig := model.ImageConfig{
		Env: []string{"A=b"}, EntryPoint: []string{"/app"}, Command: []string{"-v"}, WorkingDir: "/srv", User: "1000",
		StopSignal: "SIGQUIT", ExposedPorts: []string{"8080/tcp"},
	}
	if diff := cmp.Diff(wantConfig, rootfs.Config); diff != "" || rootfs.Digest != desc.Digest.String() {
		t.Errorf("digest %s, config (-want +got):\n%s", rootfs.Digest, diff)
	}
	want := map[string]string{
		"etc": "drwxr-xr-x", "etc/kept": "-rw-r--r-- k", "etc/hard": "-rw-r--r-- k", "etc/link": "Lrwxrwxrwx -> /etc/kept",
		"etc/owned": "urwxr-xr-x o of 1000", "etc/pipe": "prw-------", "etc/twice": "-rw-r--r-- 2",
		"tmp": "dtrwxrwxrwx", "tmp/deep": "drwxr-xr-x", "tmp/deep/file": "-rw-r--r-- d",
		"var": "drwxr-xr-x", "var/new": "-rw-r--r-- n",
	}
	if diff := cmp.Diff(want, tree(t, overlay(t, rootfs.Layers))); diff != "" {
		t.Errorf("mounted image (-want +got):\n%s", diff)
	}
}

func TestUnpackKeepsCapabilitiesOnly(t *testing.T) {
	needsRoot(t)
	f := newFixture(t)
	f.createRepository(t, "app", "")
	const capability = "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	ping := file("ping", "p")
	ping.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": capability, "SCHILY.xattr.trusted.overlay.redirect": "/etc"}
	f.pushImage(t, "app", "v1", []blob{plain(entries(t, ping))}, nil)
	rootfs, release, err := f.Unpack(t.Context(), "app:v1", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	path := filepath.Join(rootfs.Layers[0], "ping")
	buf := make([]byte, 100)
	if n, err := unix.Getxattr(path, "security.capability", buf); err != nil || string(buf[:n]) != capability {
		t.Errorf("capability = %x, %v", buf[:n], err)
	}
	if _, err := unix.Getxattr(path, "trusted.overlay.redirect", buf); err == nil {
		t.Error("an image set an attribute of overlayfs")
	}
}

func TestUnpackRefusesAttacksAndDamage(t *testing.T) {
	needsRoot(t)
	f := newFixture(t)
	f.createRepository(t, "app", "")
	outside := filepath.Join(f.dir, "registry", "tmp", "outside")
	if err := os.WriteFile(outside, []byte("untouched"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := entries(t, file("a", "1"))
	for _, row := range []struct {
		name   string
		layer  blob
		change func(*ocispec.Image)
		want   string
	}{
		{"dots in a path", plain(entries(t, file("../outside", "x"))), nil, "path leads out of the layer"},
		{"a pipe as parent", plain(entries(t, tar.Header{Name: "x", Typeflag: tar.TypeFifo}, file("x/.wh..wh..opq", ""))), nil, "not a directory"},
		{"a layer cut short", blob{good, gzipped(t, good).data[:40], ocispec.MediaTypeImageLayerGzip}, nil, "unexpected EOF"},
		{"a layer that is no archive", blob{good, []byte(strings.Repeat("nonsense", 200)), ocispec.MediaTypeImageLayer}, nil, "tar"},
		{"a bomb", gzipped(t, entries(t, file("big", strings.Repeat("\x00", 2<<20)))), nil, "larger than the limit of 1048576 bytes"},
		{"another content than the config says", plain(entries(t, file("b", "2"))), func(c *ocispec.Image) {
			c.RootFS.DiffIDs[0] = digest.FromString("other")
		}, "the image config says"},
		{"too few diff IDs", plain(entries(t, file("c", "2"))), func(c *ocispec.Image) { c.RootFS.DiffIDs = nil }, "manifest has 1 layers, its config 0"},
		{"another machine's", plain(entries(t, file("d", "2"))), func(c *ocispec.Image) { c.Architecture = "vax" }, "the image is for 'linux/vax'"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f.pushImage(t, "app", "v1", []blob{row.layer}, row.change)
			_, _, err := f.Unpack(t.Context(), "app:v1", nil, "")
			e, ok := errors.AsType[*model.Error](err)
			if !ok || e.Code != "CannotPullContainerError" || !strings.Contains(e.Msg, row.want) {
				t.Errorf("Unpack = %v, want CannotPullContainerError with %q", err, row.want)
			}
			if left := names(t, f.path("layers")); len(left) != 0 {
				t.Errorf("layers left: %v", left)
			}
		})
	}
	if data, err := os.ReadFile(outside); err != nil || string(data) != "untouched" {
		t.Errorf("the file outside = %q, %v", data, err)
	}
	if left := names(t, f.path("tmp")); !cmp.Equal(left, []string{"outside"}) {
		t.Errorf("temporary files left: %v", left)
	}
}

func TestUnpackNoticesADamagedBlob(t *testing.T) {
	needsRoot(t)
	f := newFixture(t)
	f.createRepository(t, "app", "")
	l := plain(entries(t, file("a", "right")))
	f.pushImage(t, "app", "v1", []blob{l}, nil)
	damaged := strings.Replace(string(l.data), "right", "wrong", 1)
	if err := os.WriteFile(f.blobPath(digest.FromBytes(l.data).String()), []byte(damaged), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Unpack(t.Context(), "app:v1", nil, ""); err == nil || !strings.Contains(err.Error(), "the stored blob has digest") {
		t.Errorf("Unpack of a damaged blob = %v", err)
	}
	f.pushBlob(t, "app", l.data, l.mediaType) // pushing it again mends it
	_, release, err := f.Unpack(t.Context(), "app:v1", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	release()
}

func TestUnpackResolvesReferences(t *testing.T) {
	needsRoot(t)
	f := newFixture(t)
	f.set = func(c *Config) { c.Endpoint = "127.0.0.1:4555" }
	f.reopen(t) // references keep the address that it has now
	f.set = nil
	f.reopen(t)
	f.createRepository(t, "team/app", "")
	desc := f.pushImage(t, "team/app", "latest", []blob{plain(entries(t, file("a", "1")))}, nil)
	d := desc.Digest.String()
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex}
	other := f.pushImage(t, "team/app", "other", []blob{plain(entries(t, file("a", "2")))}, nil)
	other.Platform = &ocispec.Platform{OS: "linux", Architecture: "vax"}
	foreignOnly := index
	foreignOnly.Manifests = []ociregistry.Descriptor{other}
	desc.Platform = &ocispec.Platform{OS: runtime.GOOS, Architecture: runtime.GOARCH}
	index.Manifests = []ociregistry.Descriptor{other, desc}
	for tag, ix := range map[string]ocispec.Index{"multi": index, "foreign": foreignOnly} {
		if _, err := f.oci.PushManifest(t.Context(), "team/app", tag, mustJSON(t, ix), ix.MediaType); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct{ ref, want string }{
		{account + ".dkr.ecr.us-east-1.amazonaws.com/team/app:latest", d},
		{account + ".dkr.ecr.us-east-1.amazonaws.com/team/app@" + d, d},
		{"127.0.0.1:4566/team/app:latest", d},
		{"127.0.0.1:4555/team/app", d},
		{"localhost:4566/team/app", d},
		{"[::1]:4566/team/app", d},
		{"team/app:latest", d},
		{"team/app", d},
		{"team/app:latest@" + d, d},
		{"team/app:multi", d},
		{"team/app:foreign", "does not contain descriptor matching platform"},
		{"team/app:none", "failed to resolve ref team/app:none: team/app:none: not found"},
		{"127.0.0.1:4566/other/app", "failed to resolve ref 127.0.0.1:4566/other/app: 127.0.0.1:4566/other/app: not found"},
		{"nginx", "failed to resolve ref docker.io/library/nginx:latest: failed to do request: Get \"https://registry-1.docker.io/v2/library/nginx/manifests/latest\": not in this test"},
		{"docker.io/library/nginx:latest", "failed to resolve ref docker.io/library/nginx:latest"},
		{"127.0.0.1:4554/team/app", "failed to resolve ref 127.0.0.1:4554/team/app:latest"},
		{"111111111111.dkr.ecr.us-east-1.amazonaws.com/team/app", "failed to resolve ref 111111111111.dkr.ecr.us-east-1.amazonaws.com/team/app:latest"},
		{"team/app:bad tag", "invalid reference format"},
		{"team/app@sha256:12", "invalid reference format"},
		{"UPPER", "invalid reference format"},
		{"a/../etc", "invalid reference format"},
		{"", "invalid reference format"},
	} {
		t.Run(row.ref, func(t *testing.T) {
			rootfs, release, err := f.Unpack(t.Context(), row.ref, nil, "")
			if err == nil {
				release()
				if rootfs.Digest != row.want {
					t.Errorf("digest = %s, want %s", rootfs.Digest, row.want)
				}
				return
			}
			if e, ok := errors.AsType[*model.Error](err); !ok || e.Code != "CannotPullContainerError" || !strings.Contains(e.Msg, row.want) {
				t.Errorf("error = %v, want CannotPullContainerError with %q", err, row.want)
			}
		})
	}
}

func TestUnpackOnceForManyAndHeldUntilReleased(t *testing.T) {
	needsRoot(t)
	f := newFixture(t)
	f.createRepository(t, "app", "")
	f.pushImage(t, "app", "v1", []blob{plain(entries(t, file("a", "1"))), plain(entries(t, file("b", "2")))}, nil)
	var wg sync.WaitGroup
	releases := make([]func(), 8)
	var rootfs Rootfs
	var mu sync.Mutex
	for i := range releases {
		wg.Go(func() {
			got, release, err := f.Unpack(t.Context(), "app:v1", nil, "")
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if rootfs.Digest != "" && !cmp.Equal(rootfs, got) {
				t.Errorf("callers got %v and %v", rootfs, got)
			}
			rootfs, releases[i] = got, release
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	for _, release := range releases[1:] {
		release()
		release() // once is enough, twice does no harm
	}
	if _, err := f.DeleteRepository(t.Context(), "app", true); err != nil {
		t.Fatal(err)
	}
	if err := f.collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(names(t, f.path("layers"))); got != 2 {
		t.Fatalf("%d layers while the image is in use, want 2", got)
	}

	// The next process takes the hold over before it collects.
	f.reopen(t)
	release, err := f.Hold(rootfs.Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(names(t, f.path("layers"))); got != 2 {
		t.Fatalf("%d layers after the restart, want 2", got)
	}
	release()
	if err := f.collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, f.path("layers")); len(got) != 0 {
		t.Errorf("layers after the release: %v", got)
	}
	if _, err := f.Hold(rootfs.Digest); err == nil {
		t.Error("a deleted image can still be held")
	}
}

// What a killed server was about to unpack goes when the next one has begun.
func TestHalfOfALayerIsCollectedAfterARestart(t *testing.T) {
	f := newFixture(t)
	half := f.path("tmp", "layer-half")
	if err := os.MkdirAll(filepath.Join(half, "usr/lib"), 0o700); err != nil {
		t.Fatal(err)
	}
	f.reopen(t)
	if left := names(t, f.path("tmp")); len(left) > 0 {
		t.Errorf("after the restart: %v", left)
	}
	if err := f.collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := names(t, f.path("gone")); len(left) > 0 {
		t.Errorf("after the collection: %v", left)
	}
}

func TestUnpackEndsWithItsContext(t *testing.T) {
	needsRoot(t)
	f := newFixture(t)
	f.createRepository(t, "app", "")
	f.pushImage(t, "app", "v1", []blob{plain(entries(t, file("a", "1")))}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := f.Unpack(ctx, "app:v1", nil, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("Unpack = %v, want the context's end", err)
	}
	_, release, err := f.Unpack(t.Context(), "app:v1", nil, "") // nothing is stuck
	if err != nil {
		t.Fatal(err)
	}
	release()
}

func TestRunCollectsWhatIsReleased(t *testing.T) {
	needsRoot(t)
	f := newFixture(t)
	f.createRepository(t, "app", "")
	f.pushImage(t, "app", "v1", []blob{plain(entries(t, file("a", "1")))}, nil)
	_, release, err := f.Unpack(t.Context(), "app:v1", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := f.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	if _, err := f.DeleteImage(t.Context(), "app", "v1"); err != nil {
		t.Fatal(err)
	}
	release()
	deadline := time.Now().Add(20 * time.Second)
	for len(names(t, f.path("layers"))) > 0 || len(names(t, f.path("blobs"))) > 0 {
		if time.Now().After(deadline) {
			t.Fatal("nothing is collected")
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	wg.Wait()
}
