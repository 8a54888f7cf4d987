package cli

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOwnPath(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	t.Setenv("PATH", dir)
	if err := os.Symlink(exe, "linked"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("another", []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, started, want string }{
		{"absolute", "/usr/bin/neargate", "/usr/bin/neargate"},
		{"a link to it", "./linked", filepath.Join(dir, "linked")},
		{"by PATH", "linked", filepath.Join(dir, "linked")},
		{"a name that is another program's", "another", exe},
		{"a name that is nobody's", "nobody", exe},
		{"no name", "", exe},
	} {
		if got, err := ownPath(row.started); err != nil || got != row.want {
			t.Errorf("%s: got %q, %v; want %q", row.name, got, err, row.want)
		}
	}
}
