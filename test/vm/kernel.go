package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// metaPackage depends on Debian's current kernel.
const metaPackage = "linux-image-amd64"

// kernel is one of Debian's, unpacked.
type kernel struct {
	version string // as its modules' directory is named
	image   string
	modules string // lib/modules/VERSION
}

// findKernel unpacks Debian's current kernel below cache, unless it lies there
// from an earlier time. Where apt knows none, the one of an earlier time will do.
func findKernel(ctx context.Context, cache string) (kernel, error) {
	pkg, aptErr := currentPackage(ctx)
	if aptErr != nil {
		old, _ := filepath.Glob(filepath.Join(cache, "linux-image-*")) // only a bad pattern is an error
		if len(old) == 0 {
			return kernel{}, skip{"needs Debian's package " + metaPackage + ": " + aptErr.Error()}
		}
		return readKernel(old[len(old)-1])
	}
	dir := filepath.Join(cache, pkg)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := fetch(ctx, pkg, dir); err != nil {
			return kernel{}, skip{"needs Debian's package " + pkg + ": " + err.Error()}
		}
	}
	return readKernel(dir)
}

// currentPackage asks apt which package has the kernel itself.
func currentPackage(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "apt-cache", "depends", metaPackage).Output()
	if err != nil {
		return "", fmt.Errorf("apt-cache depends %s: %w", metaPackage, err)
	}
	for line := range strings.Lines(string(out)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "Depends: "); ok && strings.HasPrefix(name, "linux-image-") {
			return name, nil
		}
	}
	return "", errors.New("apt knows no such package; apt-get update may help")
}

// fetch downloads the package and unpacks it as dir, all of it or nothing.
func fetch(ctx context.Context, pkg, dir string) error {
	fmt.Fprintln(os.Stderr, "vm: downloading", pkg)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "tmp-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	download := exec.CommandContext(ctx, "apt-get", "download", "-q", pkg)
	download.Dir = tmp
	if out, err := download.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get download: %w: %s", err, strings.TrimSpace(string(out)))
	}
	debs, err := filepath.Glob(filepath.Join(tmp, "*.deb"))
	if err != nil || len(debs) != 1 {
		return fmt.Errorf("apt-get download left %d packages", len(debs))
	}
	unpacked := filepath.Join(tmp, "root")
	if out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", debs[0], unpacked).CombinedOutput(); err != nil {
		return fmt.Errorf("dpkg-deb: %w: %s", err, out)
	}
	return os.Rename(unpacked, dir)
}

func readKernel(dir string) (kernel, error) {
	images, _ := filepath.Glob(filepath.Join(dir, "boot/vmlinuz-*")) // only a bad pattern is an error
	if len(images) != 1 {
		return kernel{}, fmt.Errorf("%s has %d kernels, want 1: remove the directory", dir, len(images))
	}
	version := strings.TrimPrefix(filepath.Base(images[0]), "vmlinuz-")
	return kernel{version: version, image: images[0], modules: filepath.Join(dir, "lib/modules", version)}, nil
}

// moduleDirs are the parts of the kernel's modules that the machine gets:
// generously what containers, networks and file systems may ask for.
var moduleDirs = []string{
	"arch", "crypto", "lib", "security", "drivers/virtio", "drivers/block/virtio_blk.ko", "drivers/block/loop.ko", "drivers/md",
	"drivers/net/veth.ko", "drivers/net/dummy.ko", "drivers/net/tun.ko", "drivers/net/macvlan.ko", "drivers/net/ifb.ko",
	"fs/overlayfs", "fs/ext4", "fs/jbd2", "fs/mbcache.ko", "fs/quota", "fs/xfs", "fs/fuse", "fs/squashfs",
	"net/bridge", "net/netfilter", "net/ipv4", "net/ipv6", "net/802", "net/8021q", "net/llc", "net/sched", "net/core", "net/packet",
}

// installModules copies them to the disk-to-be and writes the index by which
// the kernel finds a module when it first needs one.
func (k kernel) installModules(ctx context.Context, root string) error {
	dst := filepath.Join(root, "lib/modules", k.version)
	for _, part := range moduleDirs {
		src := filepath.Join(k.modules, "kernel", part)
		if _, err := os.Stat(src); errors.Is(err, fs.ErrNotExist) {
			continue // built in
		}
		if err := copyTree(ctx, src, filepath.Join(dst, "kernel", part)); err != nil {
			return err
		}
	}
	if out, err := exec.CommandContext(ctx, "busybox", "depmod", "-b", root, k.version).CombinedOutput(); err != nil {
		return fmt.Errorf("index modules: %w: %s", err, out)
	}
	return nil
}
