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

// parserPackage has the program that loads AppArmor's profiles.
const parserPackage = "apparmor"

// installParser puts Debian's apparmor_parser onto the disk-to-be, with the
// libraries that it is linked with. The package stays below cache.
func installParser(ctx context.Context, root, cache string) error {
	dir := filepath.Join(cache, parserPackage)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := fetch(ctx, parserPackage, dir); err != nil {
			return skip{"needs Debian's package " + parserPackage + ": " + err.Error()}
		}
	}
	const parser = "sbin/apparmor_parser"
	if err := copyFile(filepath.Join(dir, parser), filepath.Join(root, parser)); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "ldd", filepath.Join(dir, parser)).Output()
	if err != nil {
		return fmt.Errorf("list the libraries of %s: %w", parser, err)
	}
	for word := range strings.FieldsSeq(string(out)) { // "libc.so.6 => /lib/… (0x…)"
		if !strings.HasPrefix(word, "/") {
			continue
		}
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(word)), 0o755); err != nil {
			return err
		}
		if err := copyFile(word, filepath.Join(root, word)); err != nil {
			return err
		}
	}
	return nil
}
