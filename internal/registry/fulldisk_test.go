package registry

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cuelabs.dev/go/oci/ociregistry"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

// TestPushToAFullDisk: the client learns that it is the disk, and a push works
// again when there is room.
func TestPushToAFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: a file system of its own")
	}
	f := newFixture(t)
	f.createRepository(t, "app", "")
	disk := filepath.Join(f.dir, "registry", "tmp")
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatal(err)
	}
	mounted := true
	unmount := func() {
		if mounted {
			mounted = false
			if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(unmount)
	data := bytes.Repeat([]byte("full"), 64<<10)
	desc := ociregistry.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: digest.FromBytes(data), Size: int64(len(data))}
	_, err := f.oci.PushBlob(t.Context(), "app", desc, bytes.NewReader(data))
	answer, ok := errors.AsType[ociregistry.HTTPError](err)
	if !ok || answer.StatusCode() != http.StatusInsufficientStorage || !strings.Contains(err.Error(), "no space left on the registry's disk") {
		t.Errorf("a push to a full disk: %v", err)
	}
	unmount()
	if _, err := f.oci.PushBlob(t.Context(), "app", desc, bytes.NewReader(data)); err != nil {
		t.Errorf("a push with room again: %v", err)
	}
}
