package registry

import (
	"os"
	"testing"
)

// TestReopeningTakesNoRoom: after a boot, too, the directories are emptied and
// stay the same ones. A new one would not fit on a full disk.
func TestReopeningTakesNoRoom(t *testing.T) {
	f := newFixture(t)
	dirs := []string{"blobs", "gone", "layers", "tmp"}
	before := map[string]os.FileInfo{}
	for _, dir := range dirs {
		before[dir] = stat(t, f.path(dir))
	}
	mark := stat(t, f.path("layers", bootMark))
	writeFile(t, f.path("layers", bootMark), "an earlier boot, whose name is longer than that of this one is")
	left := []string{f.path("tmp", "upload-left"), f.path("layers", "left")}
	for _, path := range left {
		writeFile(t, path, "left")
	}

	f.reopen(t)
	for _, dir := range dirs {
		if !os.SameFile(before[dir], stat(t, f.path(dir))) {
			t.Errorf("%s is a new directory", dir)
		}
	}
	if now := stat(t, f.path("layers", bootMark)); !os.SameFile(mark, now) || now.Size() != mark.Size() {
		t.Errorf("the mark of the boot has %d bytes or is a new file, want the %d of before", now.Size(), mark.Size())
	}
	for _, path := range left {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
