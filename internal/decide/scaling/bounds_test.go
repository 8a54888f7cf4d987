package scaling

import (
	"testing"

	"pgregory.net/rapid"
)

func TestBoundsMove(t *testing.T) {
	for _, row := range []struct {
		name    string
		b       Bounds
		desired int
		n       int
		cause   string
	}{
		{"below", Bounds{Min: 4, Max: 8}, 2, 4, "minimum capacity was set to 4"},
		{"above", Bounds{Min: 0, Max: 1}, 2, 1, "maximum capacity was set to 1"},
		{"inside", Bounds{Min: 1, Max: 8}, 2, 2, ""},
		{"below, scaling out suspended", Bounds{Min: 4, Max: 8, SuspendOut: true}, 2, 2, ""},
		{"above, scaling out suspended", Bounds{Min: 0, Max: 1, SuspendOut: true}, 2, 1, "maximum capacity was set to 1"},
		{"above, scaling in suspended", Bounds{Min: 0, Max: 1, SuspendIn: true}, 2, 2, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			n, cause, moved := row.b.Move(row.desired)
			if n != row.n || cause != row.cause || moved != (cause != "") {
				t.Errorf("got %d, %q, moved %v, want %d, %q", n, cause, moved, row.n, row.cause)
			}
		})
	}
}

// TestBoundsMoveOnce: what has been moved stays, and inside.
func TestBoundsMoveOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.IntRange(0, 20).Draw(t, "min")
		b := Bounds{Min: low, Max: low + rapid.IntRange(0, 20).Draw(t, "more")}
		n, _, _ := b.Move(rapid.IntRange(0, 60).Draw(t, "desired"))
		if again, _, moved := b.Move(n); n < b.Min || n > b.Max || moved || again != n {
			t.Fatalf("moved to %d, then to %d, in %+v", n, again, b)
		}
	})
}
