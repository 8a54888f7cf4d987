package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const nobody = 65534

// What others could have prepared is refused, and left as it is.
func TestDataDirectoryOfOthersIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: gives directories and links to another user")
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, row := range map[string]struct {
		prepare func(dir string) (data string)
		want    string // "" is taken
	}{
		"a new one":       {func(dir string) string { return filepath.Join(dir, "a", "b") }, ""},
		"our own":         {func(dir string) string { must(os.Mkdir(dir+"/data", 0o755)); return dir + "/data" }, ""},
		"somebody else's": {func(dir string) string { must(os.Chown(dir, nobody, 0)); return dir }, "belongs to user 65534"},
		"open to a group": {func(dir string) string { must(os.Chmod(dir, 0o770)); return dir }, "can be written by others (mode 0770)"},
		"open to all":     {func(dir string) string { must(os.Chmod(dir, 0o777)); return dir }, "can be written by others (mode 0777)"},
		"below one that is open to all": {func(dir string) string {
			must(os.Chmod(dir, 0o777))
			return dir + "/data"
		}, "can be replaced by anybody"},
		"below one like /tmp": {func(dir string) string {
			must(os.Chmod(dir, 0o777|os.ModeSticky))
			return dir + "/data"
		}, ""},
		"made before us below one like /tmp": {func(dir string) string {
			must(os.Chmod(dir, 0o777|os.ModeSticky))
			must(os.Mkdir(dir+"/data", 0o700))
			must(os.Chown(dir+"/data", nobody, nobody))
			return dir + "/data"
		}, "belongs to user 65534"},
		"our own link": {func(dir string) string {
			must(os.Mkdir(dir+"/real", 0o700))
			must(os.Symlink("real", dir+"/data"))
			return dir + "/data/deeper"
		}, ""},
		"a link that somebody else left below one like /tmp": {func(dir string) string {
			must(os.Chmod(dir, 0o777|os.ModeSticky))
			must(os.Mkdir(dir+"/victim", 0o700))
			must(os.Symlink(dir+"/victim", dir+"/data"))
			must(os.Lchown(dir+"/data", nobody, nobody))
			return dir + "/data"
		}, "a link of user 65534"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			must(os.Mkdir(dir, 0o755))
			err := makeData(row.prepare(dir))
			if row.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if u, ok := errors.AsType[*Untrusted](err); !ok || !strings.Contains(u.Why, row.want) || u.Hint == "" {
				t.Errorf("error %v, want %s and a hint", err, row.want)
			}
		})
	}
}
