package appimage

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"neargate/internal/model"
	"neargate/internal/registry"
	unpacking "neargate/internal/registry/layer"
	"neargate/internal/store"
)

func TestMain(m *testing.M) {
	unpacking.Dispatch(nil)
	goleak.VerifyTestMain(m)
}

// newRegistry serves a registry with an empty repository "app".
func newRegistry(t *testing.T) (reg *registry.Registry, uri, password string) {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	reg, err = registry.Open(t.Context(), db, registry.Config{
		Dir: t.TempDir(), Place: model.Place{Region: "us-east-1", Account: "000000000000"}, Endpoint: "127.0.0.1:4566",
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reg.CreateRepository(t.Context(), model.Repository{Name: "app"}); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(reg.Handler())
	t.Cleanup(srv.Close)
	password, _ = reg.Token("AKIAROOT")
	return reg, strings.TrimPrefix(srv.URL, "http://") + "/app", password
}

// dynamicProgram finds a program that needs shared libraries.
func dynamicProgram(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"/bin/echo", "/usr/bin/echo"} {
		if o, err := readObject(name); err == nil && o.interpreter != "" {
			return name
		}
	}
	t.Skip("needs a dynamically linked /bin/echo")
	return ""
}

func TestPushedProgramRunsFromItsImage(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: unpacks the image and changes root into it")
	}
	reg, uri, password := newRegistry(t)
	digest, err := Push(t.Context(), Repository{URI: uri, User: "AWS", Password: password}, "latest", dynamicProgram(t))
	if err != nil {
		t.Fatal(err)
	}
	rootfs, release, err := reg.Unpack(t.Context(), "app:latest", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if rootfs.Digest != digest {
		t.Errorf("digest = %s, the registry says %s", digest, rootfs.Digest)
	}
	args := rootfs.Config.EntryPoint
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: rootfs.Layers[0]}
	cmd.Dir, cmd.Env = "/", rootfs.Config.Env
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != Command+"\n" { // echo echoes its arguments
		t.Errorf("%v in the image = %q, %v", args, out, err)
	}
}

func TestPushIsReproducible(t *testing.T) {
	_, uri, password := newRegistry(t)
	exe := dynamicProgram(t)
	first, err := Push(t.Context(), Repository{URI: uri, User: "AWS", Password: password}, "one", exe)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	moved := filepath.Join(t.TempDir(), "elsewhere") // another path, time and mode
	if err := os.WriteFile(moved, data, 0o700); err != nil {
		t.Fatal(err)
	}
	second, err := Push(t.Context(), Repository{URI: uri, User: "AWS", Password: password}, "two", moved)
	if err != nil || first != second {
		t.Errorf("digests %s and %s, %v, want the same", first, second, err)
	}
}

func TestPushRefuses(t *testing.T) {
	_, uri, password := newRegistry(t)
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	exe := dynamicProgram(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, row := range []struct {
		name, uri, password, exe string
		ctx                      context.Context
		want                     string
	}{
		{"a program that is none", uri, password, script, t.Context(), "as a Linux program"},
		{"a program that is not there", uri, password, script + "x", t.Context(), "no such file"},
		{"a wrong password", uri, "no", exe, t.Context(), "unauthorized"},
		{"a missing repository", uri + "x", password, exe, t.Context(), "The repository with name 'appx' does not exist"},
		{"no repository", "127.0.0.1", password, exe, t.Context(), "no repository URI"},
		{"a context that has ended", uri, password, exe, ended, "context canceled"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Push(row.ctx, Repository{URI: row.uri, User: "AWS", Password: row.password}, "latest", row.exe)
			if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(row.want)) {
				t.Errorf("Push = %v, want %q", err, row.want)
			}
		})
	}
}

func TestLayerStreamCanBeLeft(t *testing.T) {
	l := layer{[]file{{"neargate", dynamicProgram(t)}}}
	s := l.open()
	if _, err := io.CopyN(&bytes.Buffer{}, s, 100); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // goleak sees a writer that stays
		t.Error(err)
	}
}
