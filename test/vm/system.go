package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"neargate/test/vm/plan"
)

// installSystem makes a small Linux system below root: busybox under all its
// names, and the files of /etc that programs ask for.
func installSystem(root string) error {
	for _, dir := range []string{"bin", "sbin", "usr/bin", "usr/sbin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "var/lib", "vm", "mnt"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
		"etc/group":  "root:x:0:\nnogroup:x:65534:\n",
		"etc/hosts":  "127.0.0.1 localhost vm\n", "etc/hostname": "vm\n",
		"etc/resolv.conf": "nameserver 10.9.9.9\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	box, err := exec.LookPath("busybox")
	if err != nil {
		return err
	}
	if err := copyFile(box, filepath.Join(root, "bin/busybox")); err != nil {
		return err
	}
	names, err := exec.Command(box, "--list-full").Output()
	if err != nil {
		return fmt.Errorf("list busybox's programs: %w", err)
	}
	for name := range strings.FieldsSeq(string(names)) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.Symlink("/bin/busybox", path); err != nil && !os.IsExist(err) {
			return err
		}
	}
	// The guest under this name hands out what tests build with it.
	return os.Symlink(plan.Init, filepath.Join(root, "usr/bin/go"))
}

func copyFile(src, dst string) error {
	data, err := os.ReadFile(src)
	if err != nil {
		return err
	}
	return os.WriteFile(dst, data, 0o755)
}

// copyTree copies a file, or a directory with all below it, over what is there.
func copyTree(ctx context.Context, src, dst string) error {
	if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "cp", "-a", src, dst).CombinedOutput(); err != nil {
		return fmt.Errorf("copy %s: %w: %s", src, err, out)
	}
	return nil
}

// makeDisk makes an ext4 file system of all below root, with project quotas, as
// a file with holes.
func makeDisk(ctx context.Context, file, root string) error {
	cmd := exec.CommandContext(ctx, "mke2fs", "-q", "-t", "ext4", "-O", "quota,project", "-E", "quotatype=prjquota,lazy_itable_init=1", "-d", root, file, "8G")
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/sbin:/usr/sbin")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make disk: %w: %s", err, out)
	}
	return nil
}
