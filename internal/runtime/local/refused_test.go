package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProgramThatTheKernelRefuses: what only the kernel can refuse, when all else
// is done, is the container's reason, and in its log, as on AWS.
func TestProgramThatTheKernelRefuses(t *testing.T) {
	b := open(t)
	layer := t.TempDir()
	if err := os.WriteFile(filepath.Join(layer, "foreign"), []byte("\x7fELF of another machine"), 0o755); err != nil {
		t.Fatal(err)
	}
	b.images.layers = []string{layer}
	for _, row := range []struct {
		name, program, argument, words string
	}{
		{"another architecture's", "/foreign", "", "exec /foreign: exec format error"},
		{"too long an argument", "/guest", strings.Repeat("x", 200<<10), "exec /guest: argument list too long"},
		{"one that ends so by itself", "/guest", "exit 255", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := spec(strings.Fields(row.argument)...)
			s.Containers[0].EntryPoint = []string{row.program}
			b.run(s)
			end := b.exit()
			reason := ""
			if row.words != "" {
				reason = "CannotStartContainerError: " + row.words
			}
			if got := end.Containers[0].Reason; code(end, 0) != "255" || got != reason {
				t.Errorf("got exit code %s, reason %q, want 255, %q", code(end, 0), got, reason)
			}
			if row.words != "" {
				eventually(t, "the log to have it", func() bool { return strings.Contains(strings.Join(b.logs.get("/ecs/test/app"), "\n"), row.words) })
			}
		})
	}
}
