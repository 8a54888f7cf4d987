package layer

import (
	"bytes"
	"testing"

	"neargate/internal/runtime/local/seccomp"
)

// BenchmarkProcess is what each layer costs whatever it holds: a process that
// starts, is confined, and ends.
func BenchmarkProcess(b *testing.B) {
	needsRoot(b)
	filter, err := seccomp.Default(nil)
	if err != nil {
		b.Fatal(err)
	}
	blob := archive(b, file("f", "x"))
	for b.Loop() {
		if _, err := Unpack(b.Context(), Job{Dir: b.TempDir(), Limits: small(), Filter: filter}, bytes.NewReader(blob)); err != nil {
			b.Fatal(err)
		}
	}
}
