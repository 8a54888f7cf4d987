package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// overlayDirs are the directories of a mount to be, in a directory whose path
// has what options of a mount give a meaning to.
type overlayDirs struct {
	root, upper, work string
	layers            []string
}

func newOverlayDirs(t *testing.T, layers int) overlayDirs {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: mounts")
	}
	dir := filepath.Join(t.TempDir(), `a:b,c\d=e f`)
	mkdir := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	d := overlayDirs{root: mkdir("root"), upper: mkdir("upper"), work: mkdir("work")}
	for i := range layers {
		layer := mkdir(filepath.Join(strings.Repeat("l", 200), fmt.Sprintf("%0100d", i)))
		for name, text := range map[string]string{"top": fmt.Sprint(i), fmt.Sprintf("only-%d", i): ""} {
			if err := os.WriteFile(filepath.Join(layer, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d.layers = append(d.layers, layer)
	}
	return d
}

// TestOverlayJoinsManyLayers mounts as many layers as images have, with paths
// longer than any older form of the mount takes, on whatever kernel runs it.
func TestOverlayJoinsManyLayers(t *testing.T) {
	for _, n := range []int{1, 2, 127, 200} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			d := newOverlayDirs(t, n)
			if err := MountOverlay(d.root, d.upper, d.work, d.layers); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := unix.Unmount(d.root, 0); err != nil {
					t.Error(err)
				}
			}()
			top, err := os.ReadFile(filepath.Join(d.root, "top"))
			if want := fmt.Sprint(n - 1); err != nil || string(top) != want {
				t.Errorf("the file of all layers has %q, %v, want that of the uppermost, %q", top, err, want)
			}
			for i := range n {
				if _, err := os.Stat(filepath.Join(d.root, fmt.Sprintf("only-%d", i))); err != nil {
					t.Errorf("layer %d is not there: %v", i, err)
				}
			}
			if err := os.WriteFile(filepath.Join(d.root, "written"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(d.upper, "written")); err != nil {
				t.Errorf("what was written is not in the writable layer: %v", err)
			}
		})
	}
}

func TestOverlayRefusesMoreLayersThanFit(t *testing.T) {
	d := newOverlayDirs(t, 1)
	layers := make([]string, 300)
	for i := range layers {
		layers[i] = d.layers[0]
	}
	err := MountOverlay(d.root, d.upper, d.work, layers)
	if err == nil || !strings.Contains(err.Error(), "300 layers") {
		t.Errorf("mount of 300 layers: %v, want an error that counts them", err)
	}
}

func TestOverlayRefusesMissingLayer(t *testing.T) {
	d := newOverlayDirs(t, 1)
	missing := filepath.Join(t.TempDir(), "missing")
	err := MountOverlay(d.root, d.upper, d.work, append(d.layers, missing))
	if err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("mount without one of its layers: %v, want an error that names it", err)
	}
}
