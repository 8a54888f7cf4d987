package registry

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"neargate/internal/model"
)

// foreignArchitecture is an architecture that is not this machine's.
func foreignArchitecture() model.Architecture {
	if runtime.GOARCH == string(model.ARM64) {
		return model.AMD64
	}
	return model.ARM64
}

// Of an index each task gets the image of its architecture, at the same time and
// under the same name; and of an image for one architecture none for another,
// also when it is here already.
func TestImagesOfTwoArchitectures(t *testing.T) {
	needsRoot(t)
	own, other := model.Architecture(runtime.GOARCH), foreignArchitecture()
	there, here := newOther(t, "app"), newFixture(t)
	here.createRepository(t, "app", "")
	for _, row := range []struct {
		name, host string
		on         *fixture
		cred       *model.Credential
	}{
		{"of this registry", "", here, nil},
		{"of another", there.host + "/", there.fixture, there.cred},
	} {
		t.Run(row.name, func(t *testing.T) {
			push := func(a model.Architecture) ocispec.Descriptor {
				layers := []blob{plain(entries(t, file("a", string(a))))}
				return row.on.pushImage(t, "app", string(a), layers, func(c *ocispec.Image) { c.Architecture = string(a) })
			}
			digests := map[model.Architecture]ocispec.Descriptor{own: push(own), other: push(other)}
			for tag, in := range map[string]ocispec.Index{
				"both":    index(on(digests[own], "linux", string(own)), on(digests[other], "linux", string(other))),
				"unnamed": index(digests[own], digests[other]),
			} {
				if _, err := row.on.oci.PushManifest(t.Context(), "app", tag, mustJSON(t, in), ocispec.MediaTypeImageIndex); err != nil {
					t.Fatal(err)
				}
			}
			ref := row.host + "app:"
			for range 2 { // the second time all of it is here
				for a, want := range digests {
					for _, tag := range []string{"both", "unnamed", string(a)} {
						if got, err := here.Resolve(t.Context(), ref+tag, row.cred, a); err != nil || got != want.Digest.String() {
							t.Fatalf("Resolve of %s for %s = %s, %v, want %s", tag, a, got, err, want.Digest)
						}
						rootfs, release, err := here.Unpack(t.Context(), ref+tag, row.cred, a)
						if err != nil || rootfs.Digest != want.Digest.String() {
							t.Fatalf("Unpack of %s for %s = %s, %v, want %s", tag, a, rootfs.Digest, err, want.Digest)
						}
						defer release()
					}
				}
			}
			for a, opposite := range map[model.Architecture]model.Architecture{own: other, other: own} {
				words := "pull image manifest has been retried 1 time(s): image Manifest does not contain descriptor matching platform 'linux/" + string(a) + "'"
				for _, s := range []string{ref + string(opposite), model.PinnedImage(ref+"both", digests[opposite].Digest.String())} {
					_, resolving := here.Resolve(t.Context(), s, row.cred, a)
					_, _, unpacking := here.Unpack(t.Context(), s, row.cred, a)
					for _, err := range []error{resolving, unpacking} {
						e, ok := errors.AsType[*model.Error](err)
						if !ok || e.Code != "CannotPullContainerError" || !strings.HasPrefix(e.Msg, words) {
							t.Errorf("%s for %s: got %v, want %s", s, a, err, words)
						}
					}
				}
			}
		})
	}
	// What was pulled for both goes by its name, this machine's first.
	if n := len(here.Pulled()); n != 2 {
		t.Errorf("%d pulled images, want 2", n)
	}
	for _, want := range []model.Architecture{"", other} {
		img, err := here.RemovePulled(t.Context(), there.host+"/app:both")
		if err != nil || img.Architecture != want || !slices.Equal(img.Names, []string{there.host + "/app:both"}) {
			t.Errorf("removed %+v, %v, want the name for architecture %q", img, err, want)
		}
	}
	if _, err := here.RemovePulled(t.Context(), there.host+"/app:both"); model.KindOf(err) != model.NotFound {
		t.Errorf("a third time: %v, want not found", err)
	}
}

// An image from a file runs for its own architecture, and no registry is asked
// for another; of an archive with several this machine's is taken.
func TestLoadForAnotherArchitecture(t *testing.T) {
	own, other := runtime.GOARCH, string(foreignArchitecture())
	l := plain(entries(t, file("a", "1")))
	for _, row := range []struct {
		name  string
		files map[string]string
		runs  string
	}{
		{"of one architecture", layoutOf(t, "app:v1", l, other), other},
		{"of several", layoutOf(t, "app:v1", l, "vax", other), other},
		{"of this machine's too", layoutOf(t, "app:v1", l, other, own), own},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture(t)
			loaded, err := f.Load(t.Context(), bytes.NewReader(tarOf(t, row.files)), "")
			if err != nil || len(loaded) != 1 || (loaded[0].Architecture == "") != (row.runs == own) {
				t.Fatalf("Load = %+v, %v, want one image for %s", loaded, err, row.runs)
			}
			f.reopen(t)
			for _, a := range []string{own, other} {
				got, err := f.Resolve(t.Context(), "app:v1", nil, model.Architecture(a))
				if a == row.runs {
					if err != nil || got != loaded[0].Digest {
						t.Errorf("Resolve for %s = %s, %v, want %s", a, got, err, loaded[0].Digest)
					}
				} else if err == nil || !strings.Contains(err.Error(), "descriptor matching platform 'linux/"+a+"': the image that was loaded is for another") {
					t.Errorf("Resolve for %s = %s, %v, want a refusal", a, got, err)
				}
			}
			if _, err := f.RemovePulled(t.Context(), "app:v1"); err != nil || len(f.Pulled()) != 0 {
				t.Errorf("rm: %v, left %+v", err, f.Pulled())
			}
		})
	}
}
