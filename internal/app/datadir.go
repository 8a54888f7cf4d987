package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Untrusted is the error about a data directory that somebody else could fill
// with keys, links and images of theirs.
type Untrusted struct { //nolint:errname // it reads as app.Untrusted
	Path, Why, Hint string
}

// Error implements error.
func (e *Untrusted) Error() string {
	return fmt.Sprintf("data directory: %s %s", e.Path, e.Why)
}

// makeData makes the data directory, or checks that nobody else could have
// written to the one that is there. Errors: *Untrusted.
func makeData(path string) error {
	if err := checkWay(path); err != nil {
		return err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	switch {
	case owner(info) != os.Geteuid():
		return &Untrusted{path, fmt.Sprintf("belongs to user %d", owner(info)), "name a directory of your own with --data"}
	case info.Mode().Perm()&0o022 != 0:
		return &Untrusted{path, fmt.Sprintf("can be written by others (mode %04o)", info.Mode().Perm()), "if only you have used it: chmod go-w " + path}
	}
	return nil
}

// checkWay refuses a path on which somebody else could put another directory
// in the place of ours: through a directory in which everybody may replace
// names, or by a link of somebody else in one in which everybody may make some.
func checkWay(path string) error {
	above, err := os.Lstat("/")
	if err != nil {
		return err
	}
	at := "/"
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		open, sticky := above.Mode().Perm()&0o002 != 0, above.Mode()&fs.ModeSticky != 0
		if open && !sticky {
			return &Untrusted{path, "can be replaced by anybody: " + at + " is open to all", "chmod o-w " + at + ", or name another directory with --data"}
		}
		at = filepath.Join(at, part)
		info, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it will be ours
		}
		if err != nil {
			return fmt.Errorf("data directory: %w", err)
		}
		if link := info.Mode()&fs.ModeSymlink != 0; link {
			if by := owner(info); open && by != os.Geteuid() && by != owner(above) {
				return &Untrusted{path, fmt.Sprintf("leads through %s, a link of user %d", at, by), "name the directory itself with --data"}
			}
			if info, err = os.Stat(at); err != nil {
				return fmt.Errorf("data directory: %w", err)
			}
		}
		above = info
	}
	return nil
}

func owner(info fs.FileInfo) int { return int(info.Sys().(*syscall.Stat_t).Uid) }
