package supervisor

import "testing"

func TestParseStat(t *testing.T) {
	for _, c := range []struct {
		stat, name string
		parent     int
	}{
		{"41 (runc:[1:CHILD]) Z 1 40 40 0 -1", "runc:[1:CHILD]", 1},
		{"42 (a) S 7 (b) S 9) R 8 1", "a) S 7 (b) S 9", 8},
		{"43 (short)", "short", 0},
		{"", "", 0},
		{")(", "", 0},
	} {
		if name, parent := parseStat([]byte(c.stat)); name != c.name || parent != c.parent {
			t.Errorf("%q: name %q, parent %d, want %q, %d", c.stat, name, parent, c.name, c.parent)
		}
	}
}
