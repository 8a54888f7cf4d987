package appimage

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func TestStaticProgramStandsAlone(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(dir, "static")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", exe, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("needs the go tool to build a static program: %v %s", err, out)
	}
	files, err := programFiles(exe)
	if err != nil || !slices.Equal(files, []file{{"neargate", exe}}) {
		t.Errorf("files = %v, %v, want the program alone", files, err)
	}
}

func TestLoaderDirsFollowIncludes(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"ld.so.conf": "# comment\n/first # more\ninclude d/*.conf\nrelative\n", "d/a.conf": "/from/a\n", "d/b.conf": "/from/b\ninclude ../ld.so.conf\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := loaderDirs(filepath.Join(dir, "ld.so.conf"), 0) // ends although a file includes itself
	if !slices.Equal(got[:3], []string{"/first", "/from/a", "/from/b"}) || !slices.Contains(got, "/usr/lib") {
		t.Errorf("dirs = %v", got)
	}
}
