package demo

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// A link that lies where the report goes is replaced, not written through.
func TestReportIsNotWrittenThroughLinks(t *testing.T) {
	dir := t.TempDir()
	precious, report := filepath.Join(dir, "precious"), filepath.Join(dir, "report.html")
	if err := os.WriteFile(precious, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(precious, report); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a link, then a report
		err := writeFile(report, func(w io.Writer) error { _, err := io.WriteString(w, "report"); return err })
		if err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]string{precious: "mine", report: "report"} {
			if b, err := os.ReadFile(path); err != nil || string(b) != want {
				t.Errorf("%s: %q, %v, want %q", path, b, err, want)
			}
		}
	}
}
