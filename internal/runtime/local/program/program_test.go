package program

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// build compiles a program whose packages say that they are initialised.
func build(t *testing.T, flags ...string) string {
	t.Helper()
	if err := exec.Command("go", "version").Run(); err != nil {
		t.Skip("needs the go tool:", err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":         "module example\n\ngo 1.26\n",
		"main.go":        "package main\n\nimport (\n\t\"fmt\"\n\n\t_ \"example/heavy/one\"\n\t_ \"example/heavy/two\"\n\t_ \"example/light\"\n)\n\nfunc main() { fmt.Println(\"main\") }\n",
		"heavy/one/a.go": "package one\n\nimport \"fmt\"\n\nfunc init() { fmt.Println(\"one\") }\n",
		"heavy/two/a.go": "package two\n\nimport \"fmt\"\n\nvar Table = table()\n\nfunc table() map[string]int { fmt.Println(\"two\"); return map[string]int{\"a\": 1} }\n",
		"light/a.go":     "package light\n\nimport \"fmt\"\n\nfunc init() { fmt.Println(\"light\") }\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	exe := filepath.Join(dir, "example")
	cmd := exec.Command("go", append(append([]string{"build"}, flags...), "-o", exe, ".")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return exe
}

func output(t *testing.T, exe string) string {
	t.Helper()
	out, err := exec.Command(exe).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

func TestLighten(t *testing.T) {
	exe := build(t)
	if got := output(t, exe); got != "one two light main" {
		t.Fatalf("got %q from the whole program", got)
	}
	light := exe + "-light"
	n, err := Lighten(light, exe, "example/heavy/", "example/none/")
	if err != nil || n != 2 {
		t.Fatalf("got %d, %v, want two packages left out", n, err)
	}
	if got := output(t, light); got != "light main" {
		t.Errorf("got %q from the lighter program", got)
	}
	if n, err := Lighten(exe+"-same", exe, "example/none/"); n != 0 || err != nil {
		t.Errorf("nothing to leave out: got %d, %v", n, err)
	}
	if _, err := os.Stat(exe + "-same"); err == nil {
		t.Error("a program with nothing left out was written")
	}
	id, err := ID(exe)
	if err != nil || id == "" {
		t.Errorf("got ID %q, %v", id, err)
	}
	if other, err := ID(build(t, "-ldflags=-X=main.a=b")); err != nil || other == id {
		t.Errorf("got ID %q of another build, %v, want another than %q", other, err, id)
	}
}

func TestLightenRefuses(t *testing.T) {
	stripped := build(t, "-ldflags=-s")
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, src := range []string{stripped, text, text + "-missing"} {
		dst := filepath.Join(t.TempDir(), "light")
		if n, err := Lighten(dst, src, "example/heavy/"); err == nil {
			t.Errorf("%s: got %d packages and no error", src, n)
		}
		if _, err := os.Stat(dst); err == nil {
			t.Errorf("%s: a program was written", src)
		}
	}
}
