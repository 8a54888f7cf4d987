package supervisor

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"neargate/internal/runtime/local/confine"
)

// MountOverlay joins layers, the lowest first, and the writable directory upper
// into one file system at root. The kernel needs work, an empty directory on
// upper's file system.
func MountOverlay(root, upper, work string, layers []string) error {
	return overlay{upper: upper, work: work, layers: layers}.mount(root)
}

// overlay is a container's file system before it is mounted.
type overlay struct {
	upper, work string
	layers      []string // the lowest first
	labels      confine.Labels
}

// mount joins the layers and the writable directory upper into one file system at
// root. The kernel keeps its own files in work, an empty directory on upper's file
// system. It needs Linux 5.10.
//
// Every kernel reads the options of mount(2), and reads a page of them; the
// newer calls that take one layer at a time know overlayfs since 6.5 only. So
// directories are named by their descriptors, which are short and have nothing
// that would need escaping: 200 layers fit, whatever their paths are.
func (o overlay) mount(root string) error {
	var dirs []*os.File
	defer func() { closeAll(dirs) }()
	name := func(path string) (string, error) {
		d, err := os.OpenFile(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return "", fmt.Errorf("make overlay: %w", err)
		}
		dirs = append(dirs, d)
		return "/proc/self/fd/" + strconv.Itoa(int(d.Fd())), nil
	}
	var names []string
	for _, path := range append([]string{o.work, o.upper}, o.layers...) {
		n, err := name(path)
		if err != nil {
			return err
		}
		names = append(names, n)
	}
	lower := names[2:]
	slices.Reverse(lower) // the kernel wants the uppermost first
	// The writable layer is thrown away with the task: nothing need be synced.
	options := "volatile,workdir=" + names[0] + ",upperdir=" + names[1] + ",lowerdir=" + strings.Join(lower, ":")
	options = o.labels.MountOptions(options)
	if len(options) >= os.Getpagesize() {
		return fmt.Errorf("make overlay: the image has %d layers, more than fit into a mount", len(o.layers))
	}
	if err := unix.Mount("overlay", root, "overlay", 0, options); err != nil {
		return fmt.Errorf("make overlay: %w", err)
	}
	return nil
}
