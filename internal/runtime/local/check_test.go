package local

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"neargate/internal/runtime/local/cgroup"
	"neargate/internal/runtime/local/supervisor"
)

// TestCheckLeavesNothing tries the machine twice and looks for what it made.
func TestCheckLeavesNothing(t *testing.T) {
	needsRoot(t)
	if err := Check(); err != nil {
		t.Fatal(err)
	}
	layout, err := cgroup.Detect()
	if err != nil {
		t.Fatal(err)
	}
	left, err := layout.Paths(filepath.Dir(cgroupPath("")))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range left {
		if strings.HasSuffix(path, "probe-"+filepath.Base(mustReadlink(t, "/proc/self"))) {
			t.Errorf("cgroup %s is left", path)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil || strings.Contains(string(mounts), "overlay /sys/root") {
		t.Errorf("the probe's mount is seen outside: %v", err)
	}
}

func mustReadlink(t *testing.T, path string) string {
	t.Helper()
	target, err := os.Readlink(path)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// TestCheckNamesMissingRights runs Check as another user.
func TestCheckNamesMissingRights(t *testing.T) {
	if os.Getenv("CHECK_AS_NOBODY") != "" {
		m, ok := errors.AsType[*Missing](Check())
		if !ok || m.What != "not root (user 65534)" || m.Hint == "" {
			t.Errorf("check: %+v, want that it names the user, and a hint", m)
		}
		return
	}
	needsRoot(t)
	self, err := os.Open("/proc/self/exe") // which another user may not find by its path
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	cmd := exec.Command("/proc/self/fd/3", "-test.run=^TestCheckNamesMissingRights$")
	cmd.Env, cmd.Dir, cmd.ExtraFiles = append(os.Environ(), "CHECK_AS_NOBODY=1", "TMPDIR=/tmp"), "/", []*os.File{self}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestOpenRefusesDirectoryThatCannotHoldTasks opens an engine on a file system
// that overlayfs cannot write to: another overlay, as a container's own is.
func TestOpenRefusesDirectoryThatCannotHoldTasks(t *testing.T) {
	needsRoot(t)
	dir := t.TempDir()
	at := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	root := at("root")
	if err := supervisor.MountOverlay(root, at("upper"), at("work"), []string{at("lower")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(root, 0); err != nil {
			t.Error(err)
		}
	})
	_, err := Open(context.Background(), Config{DataDir: root}, &fakeImages{}, &fakeLogs{}, slog.New(slog.DiscardHandler))
	m, ok := errors.AsType[*Missing](err)
	if !ok || !strings.Contains(m.What, root) || m.Hint == "" {
		t.Errorf("open: %v, want a *Missing that names %s", err, root)
	}
	if _, err := os.Stat(filepath.Join(runtimeDir(root), "probe")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the probe's directory is left: %v", err)
	}
}

// BenchmarkCheck shows what trying the machine adds to each start of a server.
func BenchmarkCheck(b *testing.B) {
	for b.Loop() {
		if err := Check(); err != nil {
			b.Skip(err)
		}
	}
}
