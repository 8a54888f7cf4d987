package cgroup

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// nestedVariable asks TestNested to be the first process of a container.
const nestedVariable = "NEARGATE_TEST_NESTED"

// TestNested makes and limits cgroups as the first process of a container with a
// cgroup namespace of its own, whose root that process is in.
func TestNested(t *testing.T) {
	if os.Getenv(nestedVariable) != "" {
		if err := probeNested(); err != nil {
			t.Fatal(err)
		}
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes cgroups")
	}
	l, err := Detect()
	if err != nil || !l.unified {
		t.Skip("needs cgroup v2: with v1, processes and children are in no other's way")
	}
	outer := "/" + filepath.Base(t.TempDir()) + fmt.Sprintf("-nested-%d", os.Getpid())
	if err := l.Make(outer); err != nil {
		t.Fatal(err)
	}
	box := outer + "/container"
	t.Cleanup(func() {
		for _, p := range []string{box + "/" + initName, box, outer} {
			if err := os.Remove(filepath.Join(Root, p)); err != nil && !os.IsNotExist(err) {
				t.Error(err)
			}
		}
	})
	dir, err := l.Open(box)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestNested$")
	cmd.Env = append(os.Environ(), nestedVariable+"=1")
	cmd.SysProcAttr = &unix.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// probeNested probes the cgroups from within a namespace of them.
func probeNested() error {
	runtime.LockOSThread() // for good: the process ends soon
	if err := unix.Unshare(unix.CLONE_NEWCGROUP | unix.CLONE_NEWNS); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	// The same file system is not mounted over itself.
	if err := unix.Unmount(Root, unix.MNT_DETACH); err != nil {
		return err
	}
	if err := unix.Mount("cgroup", Root, "cgroup2", 0, ""); err != nil {
		return err
	}
	if data, err := os.ReadFile(filepath.Join(Root, "cgroup.procs")); err != nil || strings.TrimSpace(string(data)) == "" {
		return fmt.Errorf("nothing is in the way: processes %q, %w", data, err)
	}
	l, err := Detect()
	if err != nil {
		return err
	}
	return l.Probe("/neargate")
}
