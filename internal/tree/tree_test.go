package tree

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// chain makes directories within each other, deeper than any path is long.
func chain(t *testing.T, dir string, depth int) {
	t.Helper()
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range depth {
		if err := unix.Mkdirat(fd, "d", 0o755); err != nil {
			t.Fatal(err)
		}
		next, err := unix.Openat(fd, "d", unix.O_RDONLY|unix.O_DIRECTORY, 0)
		_ = unix.Close(fd)
		if err != nil {
			t.Fatal(err)
		}
		fd = next
	}
	f, err := unix.Openat(fd, "file", unix.O_CREAT|unix.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = unix.Close(f), unix.Close(fd)
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// TestRemoveTakesFewFiles: whatever the depth, with few files open, and beside
// names that look like our own.
func TestRemoveTakesFewFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tree")
	for i := range 3 {
		if err := os.MkdirAll(filepath.Join(dir, strconv.Itoa(i), ".deep-1"), 0o755); err != nil {
			t.Fatal(err)
		}
		chain(t, filepath.Join(dir, strconv.Itoa(i)), 5000)
	}
	if err := os.MkdirAll(filepath.Join(dir, ".deep-1", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/", filepath.Join(dir, "root")); err != nil {
		t.Fatal(err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	few := unix.Rlimit{Cur: uint64(openFiles(t) + levels + 20), Max: limit.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	err := Remove(t.Context(), dir)
	if restore := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); restore != nil {
		t.Fatal(restore)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is there still: %v", err)
	}
	if err := Remove(t.Context(), dir); err != nil {
		t.Errorf("what is not there: %v", err)
	}
}

func TestRemoveEndsWithItsContext(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tree")
	if err := os.MkdirAll(filepath.Join(dir, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Remove(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
}

func TestWalk(t *testing.T) {
	dir := t.TempDir()
	chain(t, dir, deepest-1)
	if err := os.Symlink("/", filepath.Join(dir, "root")); err != nil {
		t.Fatal(err)
	}
	seen := 0
	if err := Walk(dir, func(unix.Stat_t) { seen++ }); err != nil || seen != deepest+2 {
		t.Errorf("%d files, %v, want %d", seen, err, deepest+2)
	}
	deep := t.TempDir()
	chain(t, deep, 5000)
	t.Cleanup(func() {
		if err := Remove(context.Background(), filepath.Join(deep, "d")); err != nil {
			t.Error(err)
		}
	})
	if err := Walk(deep, func(unix.Stat_t) {}); !errors.Is(err, ErrTooDeep) {
		t.Errorf("got %v, want ErrTooDeep", err)
	}
	if err := Walk(filepath.Join(dir, "none"), func(unix.Stat_t) {}); err != nil {
		t.Errorf("what is not there: %v", err)
	}
}
