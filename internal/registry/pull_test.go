package registry

import (
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"neargate/internal/model"
)

// other is another registry: one of our own, which wants a password.
type other struct {
	*fixture
	host string
	cred *model.Credential
}

func newOther(t *testing.T, repositories ...string) other {
	t.Helper()
	f := newFixture(t)
	for _, name := range repositories {
		f.createRepository(t, name, "")
	}
	password, _ := f.Token("AKIAROOT")
	return other{f, strings.TrimPrefix(f.url, "http://"), &model.Credential{Username: "AWS", Password: password}}
}

func (f *fixture) contentOf(t *testing.T, ref string, cred *model.Credential, file string) string {
	t.Helper()
	rootfs, release, err := f.Unpack(t.Context(), ref, cred, "")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	got, err := os.ReadFile(rootfs.Layers[len(rootfs.Layers)-1] + "/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func TestPullFromAnotherRegistry(t *testing.T) {
	needsRoot(t)
	there, here := newOther(t, "team/app"), newFixture(t)
	push := func(content string) string {
		base := gzipped(t, entries(t, file("base", "same")))
		return there.pushImage(t, "team/app", "v1", []blob{base, gzipped(t, entries(t, file("version", content)))}, nil).Digest.String()
	}
	first := push("old")
	ref := there.host + "/team/app:v1"
	got, err := here.Resolve(t.Context(), ref, there.cred, "")
	if err != nil || got != first {
		t.Fatalf("Resolve = %s, %v, want %s", got, err, first)
	}
	push("new")
	if got := here.contentOf(t, model.PinnedImage(ref, first), there.cred, "version"); got != "old" {
		t.Errorf("the pinned image holds %q, want old", got)
	}
	if got := here.contentOf(t, ref, there.cred, "version"); got != "new" {
		t.Errorf("the tag names an image with %q, want new", got)
	}
	if err := here.collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	// What has been pulled runs without asking the registry, also after a restart.
	here.reopen(t)
	if err := os.RemoveAll(here.path("layers")); err != nil { // as after a boot
		t.Fatal(err)
	}
	if err := os.Mkdir(here.path("layers"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, u := range here.rootfs.List("") {
		if _, err := here.rootfs.Delete(t.Context(), u.Digest); err != nil {
			t.Fatal(err)
		}
	}
	pinned := model.PinnedImage(ref, first)
	if _, err := here.Resolve(t.Context(), pinned, nil, ""); err != nil {
		t.Errorf("Resolve of what is here = %v", err)
	}
	if got := here.contentOf(t, pinned, nil, "version"); got != "old" {
		t.Errorf("the pinned image holds %q, want old", got)
	}
	if repos := here.Repositories(); len(repos) != 0 {
		t.Errorf("repositories %v of ECR, want none", repos)
	}
}

func TestPullChoosesThePlatform(t *testing.T) {
	there, here := newOther(t, "app"), newFixture(t)
	good := there.pushImage(t, "app", "good", []blob{plain(entries(t, file("a", "1")))}, nil)
	vax := there.pushImage(t, "app", "vax", []blob{plain(entries(t, file("a", "2")))}, func(c *ocispec.Image) { c.Architecture = "vax" })
	for _, row := range []struct {
		name  string
		index ocispec.Index
		want  string
	}{
		{"named", index(on(vax, "linux", "vax"), on(good, runtime.GOOS, runtime.GOARCH)), good.Digest.String()},
		{"no platforms", index(vax, good), good.Digest.String()},
		{"another one only", index(on(vax, "linux", "vax")), "pull image manifest has been retried 1 time(s): image Manifest does not contain descriptor matching platform '" + runtime.GOOS + "/" + runtime.GOARCH + "'"},
		{"no platform fits", index(vax), "does not contain descriptor matching platform"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := there.oci.PushManifest(t.Context(), "app", "multi", mustJSON(t, row.index), ocispec.MediaTypeImageIndex); err != nil {
				t.Fatal(err)
			}
			got, err := here.Resolve(t.Context(), there.host+"/app:multi", there.cred, "")
			if err == nil && got == row.want {
				return
			}
			e, ok := err.(*model.Error) //nolint:errorlint // as it comes
			if !ok || e.Code != "CannotPullContainerError" || !strings.Contains(e.Msg, row.want) {
				t.Errorf("Resolve = %q, %v, want %q", got, err, row.want)
			}
		})
	}
	if _, err := here.Resolve(t.Context(), there.host+"/app:vax", there.cred, ""); err == nil || !strings.Contains(err.Error(), "does not contain descriptor matching platform") {
		t.Errorf("Resolve of an image for another machine = %v", err)
	}
}

// A tag that still names what is here is asked for by HEAD, which Docker Hub does
// not count as a pull.
func TestPullOfWhatIsHereTakesNoManifest(t *testing.T) {
	there, here := newOther(t, "app"), newFixture(t)
	good := there.pushImage(t, "app", "good", []blob{plain(entries(t, file("a", "1")))}, nil)
	if _, err := there.oci.PushManifest(t.Context(), "app", "multi", mustJSON(t, index(on(good, runtime.GOOS, runtime.GOARCH))), ocispec.MediaTypeImageIndex); err != nil {
		t.Fatal(err)
	}
	var gets atomic.Int64
	u := newUnreliable(t, there, func(_ http.ResponseWriter, req *http.Request, _ http.Handler) bool {
		if kindOf(req) == "manifests" && req.Method == http.MethodGet {
			gets.Add(1)
		}
		return false
	})
	for _, tag := range []string{"good", "multi"} {
		gets.Store(0)
		for range 3 {
			if got, err := here.Resolve(t.Context(), u.host+"/app:"+tag, nil, ""); err != nil || got != good.Digest.String() {
				t.Fatalf("Resolve = %s, %v, want %s", got, err, good.Digest)
			}
		}
		if n := gets.Load(); n > 2 { // the index and its image
			t.Errorf("%s: %d manifests were sent for three looks, want at most 2", tag, n)
		}
	}
}
