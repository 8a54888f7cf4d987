package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"neargate/test/vm/plan"
)

// diskModules are what the kernel needs before it can read its disk; crc32c and
// quota formats are asked for by name at a moment when nothing can be loaded.
var diskModules = []string{"virtio_pci", "virtio_blk", "crc32c_generic", "quota_v2", "ext4"}

// writeInitramfs writes the archive that the kernel unpacks and starts: the
// guest as /init, and the modules for the disk, to be loaded in their names'
// order.
func writeInitramfs(file, root string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	modules, err := loadOrder(root, diskModules)
	if err != nil {
		return err
	}
	archive := cpio{w: w}
	for _, dir := range []string{"dev", "modules", "root"} {
		archive.add(dir, 0o040755, nil)
	}
	archive.addFile("init", filepath.Join(root, plan.Init))
	for i, m := range modules {
		archive.addFile(fmt.Sprintf("modules/%02d-%s", i, filepath.Base(m)), m)
	}
	archive.add("TRAILER!!!", 0, nil)
	if archive.err != nil {
		return fmt.Errorf("write initramfs: %w", archive.err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write initramfs: %w", err)
	}
	return f.Close()
}

// loadOrder lists the files of modules and of all that they depend on, each
// after what it depends on.
func loadOrder(root string, names []string) ([]string, error) {
	indexes, _ := filepath.Glob(filepath.Join(root, "lib/modules/*/modules.dep")) // only a bad pattern is an error
	if len(indexes) != 1 {
		return nil, fmt.Errorf("%d indexes of modules, want 1", len(indexes))
	}
	data, err := os.ReadFile(indexes[0])
	if err != nil {
		return nil, err
	}
	needs := map[string][]string{} // by file
	files := map[string]string{}   // by module
	for line := range strings.Lines(string(data)) {
		file, deps, _ := strings.Cut(line, ":")
		needs[file] = strings.Fields(deps)
		files[strings.ReplaceAll(strings.TrimSuffix(filepath.Base(file), ".ko"), "-", "_")] = file
	}
	var order []string
	var visit func(file string)
	visit = func(file string) {
		if slices.Contains(order, file) {
			return
		}
		for _, d := range needs[file] {
			visit(d)
		}
		order = append(order, file)
	}
	for _, n := range names {
		if f, ok := files[n]; ok { // the others are built in
			visit(f)
		}
	}
	for i := range order {
		order[i] = filepath.Join(filepath.Dir(indexes[0]), order[i])
	}
	return order, nil
}

// cpio writes an archive of the "newc" format. After an error it writes no more.
type cpio struct {
	w     io.Writer
	inode int
	err   error
}

func (c *cpio) addFile(name, source string) {
	data, err := os.ReadFile(source)
	if err != nil && c.err == nil {
		c.err = err
	}
	c.add(name, 0o100755, data)
}

func (c *cpio) add(name string, mode int, data []byte) {
	if c.err != nil {
		return
	}
	c.inode++
	// magic, inode, mode, uid, gid, links, mtime, size, device, rdevice, name's length, checksum
	head := fmt.Sprintf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
		c.inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0, name)
	for _, part := range [][]byte{[]byte(head), data} {
		part = append(part, make([]byte, -len(part)&3)...) // padded to 4 bytes
		if _, err := c.w.Write(part); err != nil {
			c.err = err
			return
		}
	}
}
