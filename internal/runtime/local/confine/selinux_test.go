package confine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestMountOptions(t *testing.T) {
	labels := Labels{"system_u:system_r:container_t:s0:c1,c2", "system_u:object_r:container_file_t:s0:c1,c2"}
	want := `volatile,lowerdir=/l,context="system_u:object_r:container_file_t:s0:c1,c2"`
	if got := labels.MountOptions("volatile,lowerdir=/l"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := (Labels{}).MountOptions("volatile"); got != "volatile" {
		t.Errorf("without labels: %s", got)
	}
}

// TestLabels: each task has its own, or there are none.
func TestLabels(t *testing.T) {
	first, err := NewLabels()
	if !SELinuxEnabled() {
		if !errors.Is(err, ErrNoSELinux) || first != (Labels{}) {
			t.Errorf("without SELinux: %+v, %v", first, err)
		}
		file := filepath.Join(t.TempDir(), "hosts")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := first.Mark(file); err != nil {
			t.Error(err)
		}
		t.Skip("the rest needs a kernel with SELinux")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer first.Release()
	second, err := NewLabels()
	if err != nil {
		t.Fatal(err)
	}
	defer second.Release()
	if first.Process == second.Process || first.Mount == second.Mount {
		t.Errorf("two tasks have the labels %+v", first)
	}
}
