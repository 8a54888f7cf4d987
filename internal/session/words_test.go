package session

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSplit(t *testing.T) {
	for command, want := range map[string][]string{
		"":                            nil,
		"  \t":                        nil,
		"/bin/sh":                     {"/bin/sh"},
		" ls  -l\t/tmp ":              {"ls", "-l", "/tmp"},
		`sh -c "echo 'a b' \"c\""`:    {"sh", "-c", `echo 'a b' "c"`},
		`sh -c 'echo "$HOME" \n'`:     {"sh", "-c", `echo "$HOME" \n`},
		`a\ b ""  ''`:                 {"a b", "", ""},
		`it'"'"s`:                     nil,
		`it\'s o"n"e`:                 {"it's", "one"},
		"printf 'two\nlines'":         {"printf", "two\nlines"},
		`echo unfinished\`:            nil,
		`echo "unclosed`:              nil,
		"echo größe":                  {"echo", "größe"},
		`wc -l < /etc/passwd; id | x`: {"wc", "-l", "<", "/etc/passwd;", "id", "|", "x"},
	} {
		got, err := Split(command)
		if !slices.Equal(got, want) && err == nil {
			t.Errorf("%q: got %q, want %q", command, got, want)
		}
		if (err != nil) != (want == nil && len(command) > 3) {
			t.Errorf("%q: got %v", command, err)
		}
	}
}

func TestJoinedWordsAreSplitAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "words")
		if got, err := Split(Join(words)); err != nil || !slices.Equal(got, words) {
			t.Errorf("got %q and %v, want %q", got, err, words)
		}
	})
}
