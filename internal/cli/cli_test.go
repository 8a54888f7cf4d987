package cli

import (
	"errors"
	"strings"
	"testing"
)

func TestErrorsAreOneLineWithoutControlCharacters(t *testing.T) {
	var out strings.Builder
	report(&out, hinted{errors.New("a\rb\x1b[2Jc\u009bd\u202ee\xff\nf\tg é \"h\""), "try\x07this"})
	const want = "neargate: a\\rb\\x1b[2Jc\\u009bd\\u202ee\ufffd; f\\tg é \"h\"\nhint: try\\athis\n"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}

func TestOldAWSCommandLinesAreKnown(t *testing.T) {
	for _, row := range []struct {
		name, said, version string
		old                 bool
	}{
		{"Debian 12", "aws-cli/2.9.19 Python/3.11.2 Linux/6.1.0 source/x86_64.debian.12 prompt/off\n", "2.9.19", true},
		{"the last 2 without", "aws-cli/2.12.7 Python/3.11.4", "2.12.7", true},
		{"the first 2 with", "aws-cli/2.13.0 Python/3.11.4", "2.13.0", false},
		{"an old 1", "aws-cli/1.27.165 Python/3.9.2", "1.27.165", true},
		{"a new 1", "aws-cli/1.45.11 Python/3.11.7", "1.45.11", false},
		{"something else", "awslocal 0.1\n", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			version, old := readsNoEndpoint(row.said)
			if version != row.version || old != row.old {
				t.Errorf("readsNoEndpoint(%q) = %q, %v, want %q, %v", row.said, version, old, row.version, row.old)
			}
		})
	}
}
