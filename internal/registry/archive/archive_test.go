package archive

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// packed is a compressed archive of members, each with its number as content where
// it is a file.
func packed(t *testing.T, members []tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	w := tar.NewWriter(z)
	for i, h := range members {
		h.Format, h.Mode = tar.FormatPAX, 0o644
		content := ""
		if h.Typeflag == tar.TypeReg {
			content = fmt.Sprint(i)
		}
		h.Size = int64(len(content))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// times is n members; a # in the name becomes the number of each.
func times(n int, typeflag byte, name, link string) []tar.Header {
	all := make([]tar.Header, n)
	for i := range all {
		all[i] = tar.Header{Typeflag: typeflag, Name: strings.Replace(name, "#", fmt.Sprint(i), 1), Linkname: link}
	}
	return all
}

func anyRoom(int64) error { return nil }

func filesIn(t *testing.T, dir string) int {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

func TestReadBoundsWhatItHolds(t *testing.T) {
	long := strings.Repeat("x", maxName)
	tooMany := fmt.Sprintf("the archive has more than %d members", maxMembers)
	tooLong := fmt.Sprintf("bytes, the limit is %d", maxName)
	for _, row := range []struct {
		name    string
		members []tar.Header
		want    string // "": it is read
	}{
		{"names at the limit", times(1, tar.TypeSymlink, long, long), ""},
		{"a long name", times(1, tar.TypeReg, long+"x", ""), "its name has 4097 " + tooLong},
		{"a long name of a directory", times(1, tar.TypeDir, long+"/", ""), "its name has 4097 " + tooLong},
		{"a long symbolic link", times(1, tar.TypeSymlink, "x", long+"x"), "its link has 4097 " + tooLong},
		{"a long hard link", times(1, tar.TypeLink, "x", strings.Repeat("x", 1_000_000)), "its link has 1000000 " + tooLong},
		{"links that are long together", times(maxNames/maxName, tar.TypeSymlink, "#", long), fmt.Sprintf("have more than %d bytes", maxNames)},
		{"links of one name", times(maxNames/maxName, tar.TypeSymlink, "x", long), fmt.Sprintf("have more than %d bytes", maxNames)},
		{"members at the limit", times(maxMembers, tar.TypeDir, "#", ""), ""},
		{"many names", times(maxMembers+1, tar.TypeSymlink, "#", "x"), tooMany},
		{"many files of one name", times(maxMembers+1, tar.TypeReg, "x", ""), tooMany},
		{"many directories", times(maxMembers+1, tar.TypeDir, "x/", ""), tooMany},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := Read(bytes.NewReader(packed(t, row.members)), dir, anyRoom)
			if row.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Fatalf("Read = %.300v, want %q", err, row.want)
			}
			if n := len(err.Error()); n > 300 {
				t.Errorf("the error has %d bytes", n)
			}
			if n := filesIn(t, dir); n > 1 {
				t.Errorf("%d files are held, want at most one of each name", n)
			}
		})
	}
}

// TestTheLastMemberOfANameCounts, whatever came before it, and keeps the only file.
func TestTheLastMemberOfANameCounts(t *testing.T) {
	file, link := tar.Header{Typeflag: tar.TypeReg, Name: "x"}, tar.Header{Typeflag: tar.TypeSymlink, Name: "x", Linkname: "y"}
	other := tar.Header{Typeflag: tar.TypeReg, Name: "y"}
	for _, row := range []struct {
		name    string
		members []tar.Header
		want    string
		files   int
	}{
		{"a file after a file", []tar.Header{file, file}, "1", 1},
		{"a file after a link", []tar.Header{other, link, file}, "2", 2},
		{"a link after a file", []tar.Header{other, file, link}, "0", 1},
		{"a file under another spelling", []tar.Header{file, {Typeflag: tar.TypeReg, Name: "./x"}}, "1", 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			a, err := Read(bytes.NewReader(packed(t, row.members)), dir, anyRoom)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := a.read("x"); err != nil || string(got) != row.want {
				t.Errorf("read = %q, %v, want %q", got, err, row.want)
			}
			if n := filesIn(t, dir); n != row.files {
				t.Errorf("%d files are held, want %d", n, row.files)
			}
		})
	}
}
