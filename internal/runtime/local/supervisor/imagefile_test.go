package supervisor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What an image can put in place of a file that a supervisor reads.
func TestReadInRootOpensOnlyRegularFilesOfTheRoot(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("of the host"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		make func(path string) error // what stands at /etc/passwd
		want string                  // the content, or with "error: " in front a part of the error
	}{
		{"a file", func(p string) error { return os.WriteFile(p, []byte("root"), 0o600) }, "root"},
		{"a file as large as may be", func(p string) error { return os.WriteFile(p, []byte("0123456789"), 0o600) }, "0123456789"},
		{"nothing", func(string) error { return nil }, "error: no such file"},
		{"a file too large", func(p string) error { return os.WriteFile(p, []byte("0123456789a"), 0o600) }, "error: more than the limit of 10"},
		{"a sparse file", func(p string) error {
			return errors.Join(os.WriteFile(p, nil, 0o600), os.Truncate(p, 1<<40))
		}, "error: more than the limit of 10"},
		{"a pipe", func(p string) error { return unix.Mkfifo(p, 0o666) }, "error: not a regular file"},
		{"a directory", func(p string) error { return os.Mkdir(p, 0o755) }, "error: not a regular file"},
		{"a device", func(p string) error { return unix.Mknod(p, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))) }, "error: not a regular file"},
		{"a link to a pipe", func(p string) error {
			return errors.Join(unix.Mkfifo(p+"-pipe", 0o666), os.Symlink("passwd-pipe", p))
		}, "error: not a regular file"},
		{"a link in a circle", func(p string) error { return os.Symlink("passwd", p) }, "error: too many levels"},
		{"a link within", func(p string) error {
			return errors.Join(os.WriteFile(p+"-", []byte("linked"), 0o600), os.Symlink("/etc/passwd-", p))
		}, "linked"},
		{"a link out of the root", func(p string) error { return os.Symlink(outside, p) }, "error: no such file"},
		{"a link up and out", func(p string) error { return os.Symlink("../../../../../../.."+outside, p) }, "error: no such file"},
		{"a link into /proc", func(p string) error { return os.Symlink("/proc/self/environ", p) }, "error: no such file"},
	} {
		t.Run(row.name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := row.make(filepath.Join(root, "etc/passwd")); errors.Is(err, fs.ErrPermission) {
				t.Skipf("needs root: %v", err)
			} else if err != nil {
				t.Fatal(err)
			}
			got := make(chan string, 1)
			go func() {
				data, err := readInRoot(root, "/etc/passwd", 10)
				if err != nil {
					data = []byte("error: " + err.Error())
				}
				got <- string(data)
			}()
			select {
			case s := <-got:
				why, failed := strings.CutPrefix(row.want, "error: ")
				if failed && (!strings.HasPrefix(s, "error: ") || !strings.Contains(s, why)) || !failed && s != row.want {
					t.Errorf("got %q, want %q", s, row.want)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("hangs")
			}
		})
	}
}
